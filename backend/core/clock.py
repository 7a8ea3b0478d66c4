"""The only source of the current time, so that tests and the demo can change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_FROZEN_AT: Final[ContextVar[datetime | None]] = ContextVar("stands_at", default=None)


def now() -> datetime:
    """Return the current time, timezone-aware, in UTC."""
    return _FROZEN_AT.get() or datetime.now(UTC)


def is_frozen() -> bool:
    """Return whether this thread works at a frozen time."""
    return _FROZEN_AT.get() is not None


@contextmanager
def frozen_at(time: datetime) -> Iterator[None]:
    """Freeze the time of this thread. For the demo only (enforced by tests/architecture/test_conventions.py)."""
    token = _FROZEN_AT.set(time.astimezone(UTC))
    try:
        yield
    finally:
        _FROZEN_AT.reset(token)
