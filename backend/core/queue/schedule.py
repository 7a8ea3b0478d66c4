"""Times of scheduled jobs in the marketplace's time zone, and the registered schedule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from flask import Flask, current_app

from backend.core.config import current_settings
from backend.core.errors import Invalid
from backend.core.lanes import Lane
from backend.core.queue.topics import RunPayload, Topic

EXTENSION: Final = "timetable"


@dataclass(frozen=True, slots=True)
class Period:
    """One period of a scheduled job; ``key`` identifies it together with the job's name."""

    key: str
    due_at: datetime


class When(Protocol):
    """A recurrence rule."""

    def describe(self) -> str: ...

    def latest(self, until: datetime) -> Period:
        """Return the last period due at or before the time."""

    def following(self, after: datetime) -> datetime:
        """Return when the next period after the time is due."""


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at a time that may change at run time; a day runs once even if its time was changed."""

    at: Callable[[], time]

    def describe(self) -> str:
        return f"daily at {self.at():%H:%M}"

    def latest(self, until: datetime) -> Period:
        zone = current_settings().zone
        today = until.astimezone(zone).date()
        at = self.at()
        day = today if _due(today, at, zone) <= until else today - timedelta(days=1)
        return Period(day.isoformat(), _due(day, at, zone))

    def following(self, after: datetime) -> datetime:
        zone, at = current_settings().zone, self.at()
        day = after.astimezone(zone).date()
        return next(due for n in range(3) if (due := _due(day + timedelta(days=n), at, zone)) > after)


@dataclass(frozen=True, slots=True)
class Monthly:
    """Every month on one day (1 to 28); the key is the month in which it runs."""

    day: int
    at: time

    def describe(self) -> str:
        return f"monthly, on day {self.day} at {self.at:%H:%M}"

    def latest(self, until: datetime) -> Period:
        zone = current_settings().zone
        this = until.astimezone(zone).date().replace(day=self.day)
        if _due(this, self.at, zone) > until:
            this = (this.replace(day=1) - timedelta(days=1)).replace(day=self.day)
        return Period(f"{this:%Y-%m}", _due(this, self.at, zone))

    def following(self, after: datetime) -> datetime:
        zone = current_settings().zone
        this = after.astimezone(zone).date().replace(day=self.day)
        if (due := _due(this, self.at, zone)) > after:
            return due
        later = (this.replace(day=1) + timedelta(days=32)).replace(day=self.day)
        return _due(later, self.at, zone)


@dataclass(frozen=True, slots=True)
class Every:
    """Every ``minutes`` minutes, counted from midnight UTC of a fixed day."""

    minutes: int

    def describe(self) -> str:
        names = {1: "every minute", 60: "hourly"}
        return names.get(self.minutes, f"every {self.minutes} minutes")

    def latest(self, until: datetime) -> Period:
        length = self.minutes * 60
        due = datetime.fromtimestamp(int(until.timestamp()) // length * length, UTC)
        return Period(f"{due:%Y-%m-%dT%H:%MZ}", due)

    def following(self, after: datetime) -> datetime:
        return self.latest(after).due_at + timedelta(minutes=self.minutes)


def takes_none(params: Mapping[str, object]) -> Mapping[str, object]:
    """Validate the parameters of a job that has none."""
    if params:
        raise Invalid("This job has no parameters.", errors={name: ["Unknown field."] for name in params})
    return params


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One row of the schedule.

    ``topic`` is the job that starts a run, in ``lane``. A period missed by more than ``catch_up`` is
    skipped. ``check`` validates the parameters of a run that an admin requests, and raises Invalid. ``runs_kept`` is
    how long runs are kept.
    """

    name: str
    title: str
    when: When
    topic: Topic[RunPayload]
    catch_up: timedelta
    check: Callable[[Mapping[str, object]], Mapping[str, object]] = field(default=takes_none)
    lane: Lane = Lane.URGENT
    runs_kept: timedelta = timedelta(days=400)


def init_app(app: Flask, table: Sequence[Scheduled]) -> None:
    """Register the schedule."""
    app.extensions[EXTENSION] = {row.name: row for row in table}


def table() -> dict[str, Scheduled]:
    """Return the schedule by name."""
    registered: dict[str, Scheduled] = current_app.extensions[EXTENSION]
    return registered


def _due(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a wall-clock time in UTC; a time skipped by a clock change is right after the change."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
