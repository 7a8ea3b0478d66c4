"""Security events: each is a structured line of the logger ``security`` and a count at /metrics.

Recorded is what alerts and investigations need (OWASP ASVS 5, 16.3): sign-ins, failed sign-ins, denied access. Lines
contain ids, the client's address and the request id, never passwords, tokens or user input.
"""

from enum import StrEnum
from typing import Final

import structlog

from backend.core.observability import metrics

LOGGER: Final = "security"
log = structlog.get_logger(LOGGER)


class Event(StrEnum):
    """The kinds of events, also the label of the counter ``security_events_total``."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - the name of an event
    THROTTLED = "throttled"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - the name of an event
    TOKEN_REUSED = "token_reused"  # noqa: S105 - the name of an event
    SESSION_ENDED = "session_ended"
    ROLE_REFUSED = "role_refused"
    BLOCKED_REFUSED = "blocked_refused"
    DOCUMENT_REFUSED = "document_refused"


def note(
    event: Event,
    *,
    account_id: int | None = None,
    session_id: str | None = None,
    address: str | None = None,
    **facts: str,
) -> None:
    """Log and count an event. ``facts`` are our own words (a reason, a route), never user input."""
    metrics.security_event(event)
    known = {"account_id": account_id, "session_id": session_id, "address": address}
    log.info(event.value, **{name: value for name, value in known.items() if value is not None}, **facts)
