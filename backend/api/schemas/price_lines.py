"""Price lines: extra work, material and discounts beside the agreed price."""

from decimal import Decimal
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, Money, Quantity, Strict, StrictInteger, Sum, Text
from backend.domain.price_lines.amounts import Kind

KIND = validate.OneOf([kind.value for kind in Kind])
STATES = ["proposed", "approved", "declined", "withdrawn"]


class NewPriceLine(Strict):
    """A line that the professional proposes. ``reason`` is one of those that the list names, if it names any."""

    kind = fields.String(required=True, validate=KIND)
    title = Text(max=100, required=True)
    quantity = Quantity(required=True)
    unit_amount = Money(required=True)
    reason = Text(max=100, load_default=None, allow_none=True)


class NewPriceLineData(TypedDict):
    """The loaded :class:`NewPriceLine`."""

    kind: str
    title: str
    quantity: Decimal
    unit_amount: Decimal
    reason: str | None


class Approval(Strict):
    """The approval of a line. Professionals send the code that the customer sees."""

    code = fields.String(
        validate=validate.Regexp("^[0-9]{4}$", error="Must have four digits."), load_default=None, allow_none=True
    )


class ApprovalData(TypedDict):
    """The loaded :class:`Approval`."""

    code: str | None


class PriceLine(Strict):
    """A line. ``amount`` is what it adds to the total: negative for a discount.

    Only the customer gets ``approval_code``: null once the line is decided. ``by_code``: it was approved with it.
    """

    id = Id(required=True)
    kind = fields.String(required=True, validate=KIND)
    title = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    quantity = Quantity(required=True)
    unit_amount = Money(required=True)
    amount = Sum(signed=True, required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    by_code = fields.Boolean(required=True)
    proposed_at = DateTimeField(required=True)
    decided_at = DateTimeField(required=True, allow_none=True)
    withdrawn_at = DateTimeField(required=True, allow_none=True)
    approval_code = fields.String(allow_none=True, validate=validate.Regexp("^[0-9]{4}$"))


class PriceLines(Strict):
    """The lines of a request, oldest first, with the agreed price and the total.

    ``reasons``: those that a new line can have; empty if it needs none. ``cap_percent``: how much the lines may add to
    the price; 0 if any amount.
    """

    items = fields.List(fields.Nested(PriceLine), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    price = Money(required=True)
    total = Sum(required=True)
    currency = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)
    cap_percent = StrictInteger(required=True)
