"""Ranges of time from the API: dates in the marketplace's time zone, both included, or times."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from backend.core.errors import Invalid

Bound = date | datetime  # a datetime is also a date, so test for datetime first
RESOLUTION = timedelta(microseconds=1)  # PostgreSQL's resolution


@dataclass(frozen=True, slots=True)
class DateRange:
    """The range from ``starts`` up to but not including ``ends``; None means unbounded."""

    starts: datetime | None = None
    ends: datetime | None = None


def date_range(first: Bound | None, last: Bound | None, *, zone: ZoneInfo) -> DateRange:
    """Return the range from the first to the last, both included. Raises Invalid if it ends before it starts."""
    starts = None if first is None else _start(first, zone)
    ends = None if last is None else _end(last, zone)
    if starts is not None and ends is not None and ends <= starts:
        raise Invalid.field("to", "Must not be earlier than from.")
    return DateRange(starts, ends)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the start of a day in a time zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _start(bound: Bound, zone: ZoneInfo) -> datetime:
    return bound.astimezone(UTC) if isinstance(bound, datetime) else day_start(bound, zone)


def _end(bound: Bound, zone: ZoneInfo) -> datetime:
    return (
        bound.astimezone(UTC) + RESOLUTION
        if isinstance(bound, datetime)
        else day_start(bound + timedelta(days=1), zone)
    )
