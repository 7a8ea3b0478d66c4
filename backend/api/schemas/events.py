"""Live updates."""

from marshmallow import fields

from backend.api.schemas.common import Strict, StrictInteger


class EventAccess(Strict):
    """Whom a stream of events belongs to. ``expires_at`` is in seconds since 1970, as in the token."""

    account_id = StrictInteger(required=True)
    role = fields.String(required=True)
    session_id = fields.String(required=True)
    expires_at = StrictInteger(required=True)
