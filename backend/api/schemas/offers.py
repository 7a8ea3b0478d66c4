"""Offers for requests whose price is agreed by offer."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, Money, Strict, StrictInteger, Text

STATES = ["live", "withdrawn", "expired", "accepted", "ended"]


class NewOffer(Strict):
    """An offer. Without ``valid_until`` it is valid for the hours of the marketplace's setting."""

    amount = Money(required=True)
    note = Text(min=0, max=500, multiline=True, load_default=None, allow_none=True)
    valid_until = DateTimeField(load_default=None, allow_none=True)


class NewOfferData(TypedDict):
    """The loaded :class:`NewOffer`."""

    amount: Decimal
    note: str | None
    valid_until: datetime | None


class OfferProfessional(Strict):
    """The public profile of who made an offer, with the distance to the place of the work."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    exp = StrictInteger(required=True)
    rating = fields.Float(required=True, allow_none=True)
    reviews = StrictInteger(required=True)
    tasks_done = StrictInteger(required=True)
    distance_km = fields.Float(required=True, allow_none=True)
    photo_url = fields.String(required=True, allow_none=True)


class Offer(Strict):
    """An offer. ``state`` "ended": another was accepted, or the request ended or changed."""

    id = Id(required=True)
    professional = fields.Nested(OfferProfessional, required=True)
    amount = Money(required=True)
    currency = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    valid_until = DateTimeField(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    made_at = DateTimeField(required=True)


class Offers(Strict):
    """The offers for a request, valid ones first, the lowest price first.

    ``longest_days``: how long an offer may be valid.
    """

    items = fields.List(fields.Nested(Offer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    longest_days = StrictInteger(required=True)
