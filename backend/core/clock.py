"""The one source of the present moment, so that tests, and the demo's invented past, can move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_FROZEN_AT: Final[ContextVar[datetime | None]] = ContextVar("stands_at", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _FROZEN_AT.get() or datetime.now(UTC)


def is_frozen() -> bool:
    """Whether this thread's work takes place at another moment than the present one."""
    return _FROZEN_AT.get() is not None


@contextmanager
def frozen_at(moment: datetime) -> Iterator[None]:
    """Let this thread's work take place at another moment. For the demo only: a test of the house holds it to that."""
    token = _FROZEN_AT.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _FROZEN_AT.reset(token)
