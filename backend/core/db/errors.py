"""Classification of database errors by SQLSTATE (PostgreSQL, Appendix A)."""

from typing import Final

import structlog

from backend.core.errors import Busy, PeerLost, TimedOut, Unavailable

log = structlog.get_logger(__name__)
DEADLOCK: Final = "40P01"
SERIALIZATION_FAILURE: Final = "40001"
COMPLETION_UNKNOWN: Final = "40003"
LOCK_NOT_AVAILABLE: Final = "55P03"
QUERY_CANCELED: Final = "57014"
SHUTDOWNS: Final = ("57P01", "57P02")
CONNECTION_LOST: Final = "08"  # an error class: the first two characters


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error, wrapped by SQLAlchemy or not; None if the connection broke."""
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state


def is_conflict(error: BaseException) -> bool:
    """Return whether the transaction lost a deadlock or serialisation conflict; a retry may succeed."""
    return sqlstate(error) in (DEADLOCK, SERIALIZATION_FAILURE)


def may_have_committed(error: BaseException) -> bool:
    """Return whether a COMMIT that failed with this error may still have taken effect."""
    state = sqlstate(error)
    return state is None or state.startswith(CONNECTION_LOST) or state in (COMPLETION_UNKNOWN, *SHUTDOWNS)


def unavailable(error: BaseException) -> Unavailable:
    """Return the error for the client for a failure before COMMIT, and log it under its own event."""
    state = sqlstate(error)
    if is_conflict(error):
        log.warning("database.conflict", sqlstate=state, error=repr(error))
        return Busy("The data is being changed by someone else. No changes were saved. Try again.", retry_after=1)
    if state == LOCK_NOT_AVAILABLE:
        log.warning("database.lock_timed_out", error=repr(error))
        return Busy("The data is being changed by someone else. No changes were saved. Try again.", retry_after=2)
    if state == QUERY_CANCELED:
        log.warning("database.statement_timed_out", error=repr(error))
        return TimedOut("The database took too long. No changes were saved. Try again later.", retry_after=5)
    log.warning("database.unavailable", sqlstate=state, error=repr(error))
    return PeerLost("The database is temporarily unavailable. No changes were saved. Try again shortly.", retry_after=3)
