"""Exports."""

from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, RangeBound, Strict, Window, WindowData
from backend.core.db.date_range import Bound

STATUSES = validate.OneOf(["queued", "running", "done", "failed"])


class NewExport(Strict):
    """Filters of the exported requests: the professional, and the range of closed_at."""

    professional_id = Id(load_default=None, allow_none=True)
    first = RangeBound(data_key="from", load_default=None, allow_none=True)
    last = RangeBound(data_key="to", load_default=None, allow_none=True)


class NewExportData(TypedDict):
    """The loaded :class:`NewExport`."""

    professional_id: int | None
    first: Bound | None
    last: Bound | None


class Exports(Window):
    """Filters of the list of exports."""

    status = fields.String(load_default=None, validate=STATUSES)


class ExportsData(WindowData):
    """The loaded :class:`Exports`."""

    status: str | None


class Export(Strict):
    """An export and its progress."""

    id = Id(required=True)
    status = fields.String(required=True, validate=STATUSES)
    progress = fields.Integer(required=True, validate=validate.Range(0, 100))
    rows = fields.Integer(required=True)
    professional_id = Id(required=True, allow_none=True)
    span_from = fields.String(required=True, allow_none=True, data_key="from")
    span_to = fields.String(required=True, allow_none=True, data_key="to")
    requested_by = Id(required=True)
    created_at = DateTimeField(required=True)
    started_at = DateTimeField(required=True, allow_none=True)
    finished_at = DateTimeField(required=True, allow_none=True)
    expires_at = DateTimeField(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)
    download_url = fields.String(required=True, allow_none=True)
