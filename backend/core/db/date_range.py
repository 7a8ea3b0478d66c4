"""Spans of time as callers say them: days of the market's zone, both included, or moments."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.core.errors import Invalid

Edge = date | datetime  # a datetime is a date too: look for the datetime first
SMALLEST = timedelta(microseconds=1)  # what PostgreSQL can tell apart


@dataclass(frozen=True, slots=True)
class Span:
    """From ``starts`` up to but not including ``ends``; None leaves that side open."""

    starts: datetime | None = None
    ends: datetime | None = None


def between(first: Edge | None, last: Edge | None, *, zone: ZoneInfo) -> Span:
    """The span from the one to the other, both included. Raises Invalid when it ends before it starts."""
    starts = None if first is None else _start(first, zone)
    ends = None if last is None else _end(last, zone)
    if starts is not None and ends is not None and ends <= starts:
        raise Invalid.field("to", "Lies before from.")
    return Span(starts, ends)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _start(edge: Edge, zone: ZoneInfo) -> datetime:
    return edge.astimezone(UTC) if isinstance(edge, datetime) else day_start(edge, zone)


def _end(edge: Edge, zone: ZoneInfo) -> datetime:
    return edge.astimezone(UTC) + SMALLEST if isinstance(edge, datetime) else day_start(edge + timedelta(days=1), zone)
