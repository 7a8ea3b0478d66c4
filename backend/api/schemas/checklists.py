"""Checklists of tasks and of requests."""

from datetime import datetime
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, Strict, StrictInteger, Text

MOST_POINTS = 20


class ChecklistPoint(Strict):
    """A point of a task's checklist. ``photo``: it can be ticked only with a photo before or after the work."""

    text = Text(min=3, max=200, required=True)
    photo = fields.Boolean(load_default=False)


class ChecklistPointData(TypedDict):
    """The loaded :class:`ChecklistPoint`."""

    text: str
    photo: bool


class TaskChecklist(Strict):
    """The points of a task in their order. ``required``: work is completed only once all of them are ticked."""

    points = fields.List(fields.Nested(ChecklistPoint), required=True, validate=validate.Length(max=MOST_POINTS))
    required = fields.Boolean(load_default=False)


class TaskChecklistData(TypedDict):
    """The loaded :class:`TaskChecklist`."""

    points: list[ChecklistPointData]
    required: bool


class RequestPoint(Strict):
    """A point of a request's checklist, as it was when the request was accepted.

    ``done_at``: when it was ticked. ``photo_ids``: the photos that name it.
    """

    number = StrictInteger(required=True)
    text = fields.String(required=True)
    photo = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    done_at = DateTimeField(required=True, allow_none=True)
    photo_ids = fields.List(Id(), required=True)


class RequestChecklist(Strict):
    """The checklist of a request; without items if its task had none."""

    items = fields.List(fields.Nested(RequestPoint), required=True)


class Tick(Strict):
    """Whether a point is done. ``at`` is the time at which it was, for clients that were offline."""

    done = fields.Boolean(required=True)
    at = DateTimeField(load_default=None, allow_none=True)


class TickData(TypedDict):
    """The loaded :class:`Tick`."""

    done: bool
    at: datetime | None
