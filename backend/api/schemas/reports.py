"""Monthly reports."""

from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, Strict, Window, WindowData

COUNT = validate.Range(min=0)


class Whose(Strict):
    """The customer of the report, which only admins need to give."""

    customer_id = Id(load_default=None)


class WhoseData(TypedDict):
    """The loaded :class:`Whose`."""

    customer_id: int | None


class Reports(Window):
    """Filters of the list of reports."""

    customer_id = Id(load_default=None)


class ReportsData(WindowData):
    """The loaded :class:`Reports`."""

    customer_id: int | None


class Upcoming(Strict):
    """A request with a future date."""

    id = Id(required=True)
    task_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["requested", "accepted"]))
    date_of_request = DateTimeField(required=True)


class Report(Strict):
    """One customer's month. Counts are of events in it, ``spent`` is the value of the requests closed in it."""

    customer_id = Id(required=True)
    month = fields.String(required=True, metadata={"example": "2026-10"})
    unfinished = fields.Boolean(required=True)
    sent_at = DateTimeField(required=True, allow_none=True)
    generated_at = DateTimeField(required=True)
    requested = fields.Integer(required=True, validate=COUNT)
    accepted = fields.Integer(required=True, validate=COUNT)
    completed = fields.Integer(required=True, validate=COUNT)
    closed = fields.Integer(required=True, validate=COUNT)
    cancelled = fields.Integer(required=True, validate=COUNT)
    spent = fields.String(required=True, metadata={"example": "499.00"})
    currency = fields.String(required=True)
    professionals_met = fields.Integer(required=True, validate=COUNT)
    reviews_given = fields.Integer(required=True, validate=COUNT)
    upcoming_count = fields.Integer(required=True, validate=COUNT)
    upcoming = fields.List(fields.Nested(Upcoming), required=True)


class SentReport(Strict):
    """An item of the list of sent reports."""

    month = fields.String(required=True, metadata={"example": "2026-10"})
    sent_at = DateTimeField(required=True)
    requested = fields.Integer(required=True, validate=COUNT)
    closed = fields.Integer(required=True, validate=COUNT)
    spent = fields.String(required=True, metadata={"example": "499.00"})
    currency = fields.String(required=True)
