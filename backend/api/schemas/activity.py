"""The activity of a request, for admins."""

from marshmallow import fields

from backend.api.schemas.common import DateTimeField, Id, Strict, StrictInteger


class ActivityEntry(Strict):
    """One thing that happened: ``at`` by the word of who reported it, ``received_at`` when it was recorded."""

    source = fields.String(required=True, metadata={"description": "history, messages, deliveries, reviews"})
    action = fields.String(required=True)
    at = DateTimeField(required=True)
    received_at = DateTimeField(required=True)
    actor_id = Id(required=True, allow_none=True)
    actor_role = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    details = fields.Dict(keys=fields.String(), required=True)


class ActivityOfRequest(Strict):
    """Everything that is known of a request, in the order in which it was recorded."""

    request_id = Id(required=True)
    items = fields.List(fields.Nested(ActivityEntry), required=True)
    unreported_messages = StrictInteger(
        required=True, metadata={"description": "Messages that are not shown: nobody has reported their conversation"}
    )
    sha256 = fields.String(required=True, metadata={"description": "Digest of the request and the entries"})
