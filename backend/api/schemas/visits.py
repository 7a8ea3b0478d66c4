"""Visits: their steps, the start code, and the link that shares them."""

from datetime import datetime
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Strict, StrictInteger
from backend.api.schemas.task_requests import STATUSES

MOST_MINUTES = 240


class Step(Strict):
    """A step of a visit. ``at`` is the time at which it was taken, for clients that were offline."""

    at = DateTimeField(load_default=None, allow_none=True)


class StepData(TypedDict):
    """The loaded :class:`Step`."""

    at: datetime | None


class SetOff(Step):
    """The professional sets off, and arrives in this many minutes."""

    eta_minutes = StrictInteger(min=1, max=MOST_MINUTES, load_default=None, allow_none=True)


class SetOffData(StepData):
    """The loaded :class:`SetOff`."""

    eta_minutes: int | None


class Delay(Step):
    """The professional arrives in this many minutes."""

    eta_minutes = StrictInteger(min=1, max=MOST_MINUTES, required=True)


class DelayData(StepData):
    """The loaded :class:`Delay`."""

    eta_minutes: int


class Start(Step):
    """The start of the work. Professionals send the code that the customer sees, if the task needs one."""

    code = fields.String(
        validate=validate.Regexp("^[0-9]{4}$", error="Must have four digits."), load_default=None, allow_none=True
    )


class StartData(StepData):
    """The loaded :class:`Start`."""

    code: str | None


class VisitLink(Strict):
    """The link that shares a visit. Only the response that creates it has its ``url``."""

    active = fields.Boolean(required=True)
    url = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True, allow_none=True)
    expires_at = DateTimeField(required=True, allow_none=True)


class VisitProfessional(Strict):
    """The professional of a shared visit; ``id`` is that of the public profile."""

    id = fields.Integer(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    photo_url = fields.String(required=True, allow_none=True)


class SharedVisit(Strict):
    """A visit as its link shows it. ``professional`` is null while nobody has accepted the request."""

    task_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    date_of_request = DateTimeField(required=True)
    time_required = StrictInteger(required=True)
    professional = fields.Nested(VisitProfessional, required=True, allow_none=True)
    on_the_way_at = DateTimeField(required=True, allow_none=True)
    eta_at = DateTimeField(required=True, allow_none=True)
    on_time_at = DateTimeField(required=True, allow_none=True)
    arrived_at = DateTimeField(required=True, allow_none=True)
    started_at = DateTimeField(required=True, allow_none=True)
    completed_at = DateTimeField(required=True, allow_none=True)
    expires_at = DateTimeField(required=True)
