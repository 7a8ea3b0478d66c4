"""Available start times, from which a customer chooses."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

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
NEAREST: Final = 200  # the nearest professionals; with this many, a time that only a farther one has does not matter


class TimeSlot(NamedTuple):
    """A start time, and how many professionals are available then."""

    at: datetime
    professionals: int


def find(
    *, task_id: int, pincode: str, day: date, customer_id: int | None = None, professional_id: int | None = None
) -> list[TimeSlot]:
    """Return start times within a day of the marketplace's time zone, with the number of available professionals.

    With ``customer_id``, without professionals who are not matched with this customer.

    Raises:
        NotFound: The task is not offered.
        Invalid: There is no such pincode.
    """
    places.require(pincode)
    task = db.session.execute(
        select(Task.time_required).where(Task.id == task_id, Task.isactive, Task.archived_at.is_(None))
    ).one_or_none()
    if task is None:
        raise NotFound("Task not found.")
    policy = policies.for_task(task_id)
    professional_ids = matching.nearest(
        task_id=task_id, pincode=pincode, limit=NEAREST, customer_id=customer_id, professional_id=professional_id
    )
    working, busy = _working(professional_ids, day, task.time_required), _busy(professional_ids, day)
    slots = []
    for start in _starts(day, earliest=now() + timedelta(minutes=policy.min_notice_minutes)):
        ends = working_hours.end_of(start, task.time_required)
        until = ends + timedelta(minutes=policy.travel_buffer_minutes)
        available = sum(
            _is_within(working[account_id], start, ends) and _is_free(busy.get(account_id, ()), start, until)
            for account_id in professional_ids
        )
        if available:
            slots.append(TimeSlot(start, available))
    return slots


def _starts(day: date, *, earliest: datetime) -> Iterator[datetime]:
    """Return every half hour of the local day; a day of 23 or 25 hours has fewer or more."""
    zone = current_settings().zone
    at, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    while at < end:
        if at > earliest:
            yield at
        at += STEP


def _working(professional_ids: Sequence[int], day: date, minutes: int) -> dict[int, list[working_hours.Interval]]:
    """Return each professional's working time around the day, computed once instead of per start time."""
    zone = current_settings().zone
    last = working_hours.end_of(day_start(day + timedelta(days=1), zone), minutes).astimezone(zone).date()
    hours_by_id = working_hours.get_many(professional_ids)
    return {account_id: hours.intervals(day, last) for account_id, hours in hours_by_id.items()}


def _is_within(working: Sequence[working_hours.Interval], starts: datetime, ends: datetime) -> bool:
    return any(begin <= starts and ends <= end for begin, end in working)


def _busy(professional_ids: Sequence[int], day: date) -> Mapping[int, list[working_hours.Interval]]:
    """Return the times that each professional has reserved around the day: work, and the way to the next."""
    zone = current_settings().zone
    first, last = day_start(day - timedelta(days=1), zone), day_start(day + timedelta(days=3), zone)
    rows = db.session.execute(
        select(TaskRequest.professional_id, TaskRequest.busy).where(
            TaskRequest.professional_id.in_(professional_ids),
            TaskRequest.status == Status.ACCEPTED,
            TaskRequest.date_of_request >= first - timedelta(days=1),
            TaskRequest.date_of_request < last,
        )
    )
    busy: dict[int, list[working_hours.Interval]] = {}
    for row in rows:
        busy.setdefault(row.professional_id, []).append((row.busy.lower, row.busy.upper))
    return busy


def _is_free(busy: Sequence[working_hours.Interval], starts: datetime, ends: datetime) -> bool:
    return all(ends <= begin or end <= starts for begin, end in busy)
