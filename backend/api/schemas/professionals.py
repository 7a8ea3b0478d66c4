"""Deciding on professionals."""

from backend.api.schemas.common import Moment, Strict


class Approve(Strict):
    """Until when the approval is good; for good without it."""

    expires_at = Moment(load_default=None, allow_none=True)


class Expiry(Strict):
    """Until when the approval is good; null for good."""

    approval_expires_at = Moment(required=True, allow_none=True)
