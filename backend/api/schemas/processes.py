"""The processes of all machines."""

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Strict
from backend.core.observability.fleet import Topic

KINDS = ("web", "worker", "beat", "events")


class Process(Strict):
    """One process. ``silent``: it has not reported for a minute."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    machine = fields.String(required=True)
    pid = fields.Integer(required=True)
    version = fields.String(required=True)
    started_at = DateTimeField(required=True)
    seen_at = DateTimeField(required=True)
    silent = fields.Boolean(required=True)


class Finding(Strict):
    """Something to look at. ``names``: versions, or the settings in which ``processes`` differ from the others."""

    topic = fields.String(required=True, validate=validate.OneOf([topic.value for topic in Topic]))
    names = fields.List(fields.String(), required=True)
    processes = fields.List(fields.String(), required=True)


class Processes(Strict):
    """All processes, by machine, and what an operator should look at."""

    items = fields.List(fields.Nested(Process), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    findings = fields.List(fields.Nested(Finding), required=True)
