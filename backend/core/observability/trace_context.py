"""The trace of a call (W3C Trace Context): read from `traceparent`, kept with jobs, passed on to our own processes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import structlog

HEADER: Final = "traceparent"
# Section 3.2: lower case; version ff and ids of zeros only are invalid; a later version may have more fields.
FORMAT: Final = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?P<more>-[ -~]*)?"
)
LONGEST: Final = 512
_current: Final[ContextVar[str | None]] = ContextVar("traceparent", default=None)


def parse(header: str | None) -> str | None:
    """Return the trace as version 00 writes it, or None for a missing or invalid header."""
    if not header or len(header) > LONGEST:
        return None
    match = FORMAT.fullmatch(header)
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return None
    return f"00-{match['ids']}"


def trace_id(traceparent: str) -> str:
    """Return the id of the trace."""
    return traceparent[3:35]


def begin(header: str | None) -> None:
    """Set the trace of this call, or none; its id is on the log lines from now on."""
    traceparent = parse(header)
    _current.set(traceparent)
    if traceparent:
        structlog.contextvars.bind_contextvars(trace_id=trace_id(traceparent))


def current() -> str | None:
    """Return the `traceparent` to keep or pass on, or None."""
    return _current.get()


@contextmanager
def resumed(traceparent: str | None) -> Iterator[None]:
    """Continue the trace that was kept, or none, for the duration of the block."""
    bound = {"trace_id": trace_id(traceparent)} if traceparent else {}
    token = _current.set(traceparent)
    try:
        with structlog.contextvars.bound_contextvars(**bound):
            yield
    finally:
        _current.reset(token)
