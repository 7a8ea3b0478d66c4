"""A professional's agenda: the days of a range with working hours and requests."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import or_, select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.date_range import day_start
from backend.core.errors import Invalid
from backend.core.security.authz import Actor, Role
from backend.domain.scheduling import working_hours
from backend.domain.task_requests import queries
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.rows import COLUMNS, RequestWithContacts, with_contacts

MAX_DAYS: Final = 62
SHOWN: Final = (Status.ACCEPTED, Status.COMPLETED, Status.CLOSED)
ROWS: Final = (
    select(*COLUMNS)
    .where(queries.OWN[Role.PROFESSIONAL], queries.CONDITIONS["starts"], queries.CONDITIONS["ends"])
    .where(or_(*(TaskRequest.status == status.value for status in SHOWN)))
    .subquery()
)
TO_DO: Final = queries.select_with_contacts(ROWS, role=Role.PROFESSIONAL).order_by(ROWS.c.date_of_request, ROWS.c.id)


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its working hours as minutes, and the requests that start in it, earliest first."""

    day: date
    hours: list[working_hours.Minutes]
    is_exception: bool
    requests: list[RequestWithContacts]


def get(actor: Actor, *, first: date | None, last: date | None) -> list[Day]:
    """Return the days of the range, both included; by default a week from today."""
    zone = current_settings().zone
    first = first or now().astimezone(zone).date()
    last = last or first + timedelta(days=6)
    if not first <= last < first + timedelta(days=MAX_DAYS):
        raise Invalid.field("to", f"Must be 0 to {MAX_DAYS - 1} days after from.")
    working = working_hours.get(actor.account_id)
    starts, ends = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    requests: dict[date, list[RequestWithContacts]] = {}
    for row in map(with_contacts, read_pool.rows(TO_DO, {"me": actor.id, "starts": starts, "ends": ends})):
        requests.setdefault(row.request.date_of_request.astimezone(zone).date(), []).append(row)
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [Day(day, sorted(working.on(day)), day in working.days, requests.get(day, [])) for day in days]
