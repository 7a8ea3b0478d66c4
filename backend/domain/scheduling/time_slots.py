"""Available start times, from which a customer chooses."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import day_start
from backend.core.db.session import db
from backend.core.errors import NotFound
from backend.domain.places import queries as places
from backend.domain.scheduling import working_hours
from backend.domain.task_requests import matching, policies
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskRequest
from backend.domain.tasks.models import Task

STEP: Final = timedelta(minutes=30)
LOOKED_AT: Final = 200  # the nearest professionals; with this many, a time that only a farther one has does not matter


def times(*, task_id: int, pincode: str, day: date, professional_id: int | None = None) -> list[dict[str, Any]]:
    """Return start times within a day of the marketplace's time zone, with the number of available professionals.

    Raises NotFound for a task that is not offered, Invalid for an unknown pincode.
    """
    places.require(pincode)
    task = db.session.execute(
        select(Task.time_required).where(Task.id == task_id, Task.isactive, Task.archived_at.is_(None))
    ).one_or_none()
    if task is None:
        raise NotFound("Task not found.")
    policy = policies.for_task(task_id)
    people = matching.nearest(task_id=task_id, pincode=pincode, limit=LOOKED_AT, professional_id=professional_id)
    working, busy = _working(people, day, task.time_required), _busy(people, day)
    found = []
    for start in _starts(day, earliest=now() + timedelta(minutes=policy.min_notice_minutes)):
        ends = working_hours.end_of(start, task.time_required)
        until = ends + timedelta(minutes=policy.travel_buffer_minutes)
        free = sum(
            1 for key in people if _is_within(working[key], start, ends) and _is_free(busy.get(key, ()), start, until)
        )
        if free:
            found.append({"at": start, "professionals": free})
    return found


def _starts(day: date, *, earliest: datetime) -> Iterator[datetime]:
    """Return every half hour of the local day; a day of 23 or 25 hours has fewer or more."""
    zone = current_settings().zone
    at, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    while at < end:
        if at > earliest:
            yield at
        at += STEP


def _working(people: Sequence[int], day: date, minutes: int) -> dict[int, list[working_hours.Interval]]:
    """Return each professional's working time around the day, computed once instead of per start time."""
    zone = current_settings().zone
    last = working_hours.end_of(day_start(day + timedelta(days=1), zone), minutes).astimezone(zone).date()
    return {account_id: found.intervals(day, last) for account_id, found in working_hours.of_many(people).items()}


def _is_within(working: Sequence[working_hours.Interval], starts: datetime, ends: datetime) -> bool:
    return any(begin <= starts and ends <= end for begin, end in working)


def _busy(people: Sequence[int], day: date) -> Mapping[int, list[tuple[datetime, datetime]]]:
    zone = current_settings().zone
    first, last = day_start(day - timedelta(days=1), zone), day_start(day + timedelta(days=3), zone)
    rows = db.session.execute(
        select(TaskRequest.professional_id, TaskRequest.busy).where(
            TaskRequest.professional_id.in_(people),
            TaskRequest.status == Status.ACCEPTED,
            TaskRequest.date_of_request >= first - timedelta(days=1),
            TaskRequest.date_of_request < last,
        )
    )
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in rows:
        spans.setdefault(row.professional_id, []).append((row.busy.lower, row.busy.upper))
    return spans


def _is_free(busy: Sequence[tuple[datetime, datetime]], starts: datetime, ends: datetime) -> bool:
    return all(ends <= begin or end <= starts for begin, end in busy)
