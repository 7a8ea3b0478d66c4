"""Accounts as admins see them."""

from decimal import Decimal
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.accounts import Account
from backend.api.schemas.audit import Entry
from backend.api.schemas.common import DateTimeField, Flag, Id, Pincode, Strict, StrictInteger, Text, Window, WindowData
from backend.api.schemas.reviews import ReviewJudged
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.queries import SORTS

BLOCK_REASONS = ["fraud", "poor_reviews", "other"]


class Customers(Window):
    """Filters of the list of customers."""

    q = Text(load_default=None, metadata={"description": "Name, username, email or phone; tolerates typos"})
    blocked = Flag(load_default=None)
    pincode = Pincode(load_default=None)
    sort = fields.String(load_default=None, validate=validate.OneOf(["created", "name", "relevance"]))


class CustomersData(WindowData):
    """The loaded :class:`Customers`."""

    q: str | None
    blocked: int | None
    pincode: str | None
    sort: str | None


class Professionals(Customers):
    """Filters of the list of professionals. ``pincode``: the home or a served pincode."""

    q = Text(load_default=None, metadata={"description": "Name, company, username, email or phone; tolerates typos"})
    approval = fields.String(load_default=None, validate=validate.OneOf([one.value for one in Approval]))
    task_id = Id(load_default=None)
    min_rating = fields.Decimal(load_default=None, allow_nan=False, validate=validate.Range(min=0, max=5))
    max_rating = fields.Decimal(load_default=None, allow_nan=False, validate=validate.Range(min=0, max=5))
    sort = fields.String(load_default=None, validate=validate.OneOf(SORTS))


class ProfessionalsData(CustomersData):
    """The loaded :class:`Professionals`."""

    approval: str | None
    task_id: int | None
    min_rating: Decimal | None
    max_rating: Decimal | None


class UserAccount(Account):
    """An account with the fields that only admins see."""

    blocked_at = DateTimeField(required=True, allow_none=True)
    blocked_reason = fields.String(required=True, allow_none=True)
    blocked_note = fields.String(required=True, allow_none=True)
    last_seen_at = DateTimeField(required=True, allow_none=True)
    tasks_done = StrictInteger()
    allowed_actions = fields.List(
        fields.String(validate=validate.OneOf(["approve", "reject", "block", "unblock"])), required=True
    )


class Figures(Strict):
    """An account's requests by status, and its recent releases and cancellations."""

    requested = StrictInteger(required=True)
    accepted = StrictInteger(required=True)
    completed = StrictInteger(required=True)
    closed = StrictInteger(required=True)
    cancelled = StrictInteger(required=True)
    expired = StrictInteger(required=True)
    rejected = StrictInteger(required=True)
    released_90_days = StrictInteger(required=True)
    cancelled_90_days = StrictInteger(required=True)
    value_closed = fields.String(required=True, metadata={"example": "499.00"})


class UserAccountDetail(UserAccount):
    """An account with statistics, the latest reviews and its audit history."""

    figures = fields.Nested(Figures, required=True)
    latest_reviews = fields.List(fields.Nested(ReviewJudged), required=True)
    history = fields.List(fields.Nested(Entry), required=True)


class Block(Strict):
    """The reason for a block."""

    reason = fields.String(required=True, validate=validate.OneOf(BLOCK_REASONS))
    note = Text(min=0, max=2000, multiline=True, load_default=None, allow_none=True)


class BlockData(TypedDict):
    """The loaded :class:`Block`."""

    reason: str
    note: str | None
