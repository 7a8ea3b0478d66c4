"""The audit trail."""

from marshmallow import fields

from backend.api.schemas.common import DateTimeField, Flag, Id, RangeBound, Strict, Text, Window, WindowData
from backend.core.db.date_range import Bound


class Trail(Window):
    """Filters of the audit trail."""

    actor_id = Id(load_default=None)
    subject_id = Id(load_default=None)
    subject_kind = Text(load_default=None)
    action = Text(load_default=None)
    from_ = RangeBound(data_key="from", load_default=None)
    to = RangeBound(load_default=None)
    changes_only = Flag(load_default=0, metadata={"description": "1 to leave out entries for read access"})


class TrailData(WindowData):
    """The loaded :class:`Trail`."""

    actor_id: int | None
    subject_id: int | None
    subject_kind: str | None
    action: str | None
    from_: Bound | None
    to: Bound | None
    changes_only: int


class Entry(Strict):
    """One audit entry."""

    id = Id(required=True)
    at = DateTimeField(required=True)
    actor_id = Id(required=True, allow_none=True)
    actor_role = fields.String(required=True)
    actor_username = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    subject_id = Id(required=True, allow_none=True)
    subject_kind = fields.String(required=True)
    subject_username = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)
