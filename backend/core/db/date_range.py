"""Spans of time as callers say them: days of the market's zone, both included, or moments."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.core.errors import Invalid

Bound = date | datetime  # a datetime is a date too: look for the datetime first
RESOLUTION = timedelta(microseconds=1)  # what PostgreSQL can tell apart


@dataclass(frozen=True, slots=True)
class DateRange:
    """From ``starts`` up to but not including ``ends``; None leaves that side open."""

    starts: datetime | None = None
    ends: datetime | None = None


def date_range(first: Bound | None, last: Bound | None, *, zone: ZoneInfo) -> DateRange:
    """The span from the one to the other, both included. Raises Invalid when it ends before it starts."""
    starts = None if first is None else _start(first, zone)
    ends = None if last is None else _end(last, zone)
    if starts is not None and ends is not None and ends <= starts:
        raise Invalid.field("to", "Lies before from.")
    return DateRange(starts, ends)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day in a zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _start(edge: Bound, zone: ZoneInfo) -> datetime:
    return edge.astimezone(UTC) if isinstance(edge, datetime) else day_start(edge, zone)


def _end(edge: Bound, zone: ZoneInfo) -> datetime:
    return (
        edge.astimezone(UTC) + RESOLUTION if isinstance(edge, datetime) else day_start(edge + timedelta(days=1), zone)
    )
