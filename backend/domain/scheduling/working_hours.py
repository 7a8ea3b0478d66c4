"""Working hours of professionals: weekly hours in the marketplace's time zone, with exceptions by date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.security.authz import Actor
from backend.domain.live_updates.changes import announce_hours
from backend.domain.market import settings
from backend.domain.scheduling.models import WorkingDay, WorkingHours

MINUTES_OF_DAY: Final = 24 * 60
MAX_EXCEPTIONS: Final = 400
Minutes = tuple[int, int]  # from, to; minutes of a day in the marketplace's time zone
Interval = tuple[datetime, datetime]
HOURS: Final = text("""
    SELECT asked.id,
           (SELECT jsonb_agg(jsonb_build_array(weekday, begins, ends) ORDER BY weekday, begins)
              FROM working_hours w WHERE w.account_id = asked.id) AS weekly,
           (SELECT jsonb_object_agg(day, spans) FROM working_days d WHERE d.account_id = asked.id) AS days,
           (SELECT jsonb_object_agg(name, value) FROM market_settings) AS market
      FROM unnest(CAST(:ids AS bigint[])) AS asked(id)
""")


class _HoursRow(NamedTuple):
    """One professional's stored hours and the marketplace's settings, in the order of the statement's columns."""

    account_id: int
    weekly: list[tuple[int, int, int]] | None
    days: dict[str, list[Minutes]] | None
    market: dict[str, settings.StoredValue] | None


@dataclass(frozen=True, slots=True)
class Hours:
    """A professional's hours. ``usual`` applies to every day if no weekly hours are set."""

    zone: ZoneInfo
    usual: Minutes
    weekly: Mapping[int, Sequence[Minutes]] = field(default_factory=dict)
    days: Mapping[date, Sequence[Minutes]] = field(default_factory=dict)

    def on(self, day: date) -> Sequence[Minutes]:
        """Return the hours of one day: those of an exception, else weekly, else usual ones."""
        if day in self.days:
            return self.days[day]
        return self.weekly.get(day.weekday(), ()) if self.weekly else (self.usual,)

    def intervals(self, first: date, last: date) -> list[Interval]:
        """Return the working time of these days; adjacent ranges (such as over midnight) are merged."""
        found: list[Interval] = []
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            for begins, ends in sorted(self.on(day)):
                start, end = time_of(day, begins, self.zone), time_of(day, ends, self.zone)
                if found and start <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], end))
                elif start < end:
                    found.append((start, end))
        return found

    def covers(self, starts: datetime, ends: datetime) -> bool:
        """Return whether the whole range is within the hours."""
        first, last = starts.astimezone(self.zone).date(), ends.astimezone(self.zone).date()
        return any(begin <= starts and ends <= end for begin, end in self.intervals(first, last))


def time_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the time of a minute of a local day; 1440 is the next midnight. Correct on days of 23 or 25 hours."""
    if minute == MINUTES_OF_DAY:
        day, minute = day + timedelta(days=1), 0
    return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone).astimezone(UTC)


def end_of(starts: datetime, minutes: int) -> datetime:
    """Return when work of this many minutes ends, in elapsed time across clock changes."""
    return starts.astimezone(UTC) + timedelta(minutes=minutes)


def get(account_id: int) -> Hours:
    """Return one professional's hours."""
    return get_many([account_id])[account_id]


def get_many(account_ids: Iterable[int]) -> dict[int, Hours]:
    """Return many professionals' hours, in one query."""
    zone = current_settings().zone
    found: dict[int, Hours] = {}
    for row in map(_HoursRow._make, read_pool.rows(HOURS, {"ids": list(account_ids)})):
        market = settings.of_rows(row.market or {})
        weekly: dict[int, list[Minutes]] = {}
        for weekday, begins, ends in row.weekly or ():
            weekly.setdefault(weekday, []).append((begins, ends))
        days = {date.fromisoformat(day): [(b, e) for b, e in ranges] for day, ranges in (row.days or {}).items()}
        usual = (_minute(market.day_begins_at), _minute(market.day_ends_at))
        found[row.account_id] = Hours(zone, usual, weekly, days)
    return found


def replace(actor: Actor, *, weekly: Sequence[tuple[int, int, int]], days: Mapping[date, Sequence[Minutes]]) -> None:
    """Replace the actor's working hours. Exceptions of past days are dropped.

    Raises:
        Invalid: Ranges of a day overlap, or there are too many exceptions.
    """
    for weekday in range(7):
        check_ranges("weekly", [(begins, ends) for day, begins, ends in weekly if day == weekday])
    if len(days) > MAX_EXCEPTIONS:
        raise Invalid.field("exceptions", f"Must have at most {MAX_EXCEPTIONS} entries.")
    for ranges in days.values():
        check_ranges("exceptions", ranges)
    account_id = actor.account_id
    db.session.execute(delete(WorkingHours).where(WorkingHours.account_id == account_id))
    db.session.execute(delete(WorkingDay).where(WorkingDay.account_id == account_id))
    week: list[dict[str, int]] = [
        {"account_id": account_id, "weekday": day, "begins": begins, "ends": ends} for day, begins, ends in weekly
    ]
    if week:
        db.session.execute(insert(WorkingHours), week)
    yesterday = now().astimezone(current_settings().zone).date() - timedelta(days=1)
    kept = [
        {"account_id": account_id, "day": day, "spans": [list(minutes) for minutes in ranges]}
        for day, ranges in days.items()
        if day >= yesterday
    ]
    if kept:
        db.session.execute(insert(WorkingDay), kept)
    announce_hours(account_id)


def check_ranges(name: str, ranges: Iterable[Minutes]) -> None:
    """Check the ranges of one day.

    Raises:
        Invalid: A range does not end after it starts, or two overlap.
    """
    last = 0
    for begins, ends in sorted(ranges):
        if not 0 <= begins < ends <= MINUTES_OF_DAY:
            raise Invalid.field(name, "Each time range must end after it starts, and no later than 24:00.")
        if begins < last:
            raise Invalid.field(name, "Time ranges on the same day must not overlap.")
        last = ends


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
