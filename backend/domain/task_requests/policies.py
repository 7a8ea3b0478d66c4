"""Rules of the marketplace and of single tasks: notice, response time, limits on open requests."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Invalid, TooMany
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.market import settings
from backend.domain.task_requests.errors import TooManyOpenRequests
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskPolicy, TaskRequest
from backend.domain.tasks import queries as tasks
from backend.domain.tasks.models import Task

NAMES: Final = ("answer_within_minutes", "min_notice_minutes", "free_cancel_minutes", "travel_buffer_minutes")
Minutes = dict[str, int | None]  # by the names of the settings; None: the marketplace's applies
OPEN: Final = (Status.REQUESTED.value, Status.ACCEPTED.value)
HOUR: Final = timedelta(hours=1)
NEW_FOR: Final = timedelta(days=1)
POLICY: Final = text("""
SELECT market.settings AS market, p.answer_within_minutes, p.min_notice_minutes, p.free_cancel_minutes,
       p.travel_buffer_minutes
  FROM (SELECT jsonb_object_agg(name, value) AS settings FROM market_settings) market
  LEFT JOIN task_policies p ON p.task_id = :task_id
""")


@dataclass(frozen=True, slots=True)
class Policy:
    """The effective settings of a task, in minutes, named as the marketplace's settings."""

    answer_within_minutes: int
    min_notice_minutes: int
    free_cancel_minutes: int
    travel_buffer_minutes: int

    def answer_by(self, *, date_of_request: datetime, at: datetime) -> datetime:
        """Return how long the requested professional may respond: at most half of the remaining time."""
        return at + min(timedelta(minutes=self.answer_within_minutes), (date_of_request - at) / 2)

    def check_notice(self, date_of_request: datetime, *, at: datetime) -> None:
        """Raise Invalid for a date that has passed or is not far enough ahead."""
        if date_of_request <= at:
            raise Invalid.field("date_of_request", "Must be in the future.")
        if date_of_request < at + timedelta(minutes=self.min_notice_minutes):
            message = f"Must be at least {self.min_notice_minutes} minutes from now."
            raise Invalid.field("date_of_request", message, code="too_soon")

    def is_late(self, date_of_request: datetime, *, at: datetime) -> bool:
        """Return whether the time for free cancellation is over."""
        return date_of_request - at < timedelta(minutes=self.free_cancel_minutes)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def for_task(task_id: int) -> Policy:
    """Return the marketplace's settings with those of the task applied."""
    stored, *own = read_pool.one(POLICY, {"task_id": task_id})
    market = settings.of_rows(stored or {})
    values = (getattr(market, name) if value is None else value for name, value in zip(NAMES, own, strict=True))
    return Policy(*values)


def get_own(actor: Actor, *, task_id: int) -> Minutes:
    """Return a task's own settings (None: the marketplace's setting applies).

    Raises:
        NotFound: There is no such task, or the actor may not see it (a draft, say).
    """
    tasks.one(actor, task_id=task_id)
    row = db.session.execute(
        select(*(getattr(TaskPolicy, name) for name in NAMES)).where(TaskPolicy.task_id == task_id)
    ).one_or_none()
    return row._asdict() if row is not None else dict.fromkeys(NAMES)


def lock(task_id: int) -> None:
    """Lock the task, to which its policy belongs, until the transaction ends."""
    db.session.execute(select(Task.id).where(Task.id == task_id).with_for_update(key_share=True))


def change(actor: Actor, *, task_id: int, values: Minutes) -> Minutes:
    """Replace a task's four settings. Raises NotFound, or Invalid for a value out of bounds."""
    before = get_own(actor, task_id=task_id)
    for name, value in values.items():
        low, high = settings.BOUNDS[name]
        if value is not None and not low <= value <= high:
            raise Invalid.field(name, f"Must be from {low} to {high}.")
    after = {**dict.fromkeys(NAMES), **values}
    statement = insert(TaskPolicy).values(task_id=task_id, **after)
    db.session.execute(statement.on_conflict_do_update(index_elements=["task_id"], set_=after))
    if after != before:
        record(actor, "task_policy_changed", subject_id=task_id, subject_kind="task", before=before, after=after)
    return after


def check_limits(customer_id: int, *, signed_up: datetime, at: datetime) -> None:
    """Check the limits of new requests. The account is locked, so that concurrent requests are counted.

    Raises:
        TooManyOpenRequests: The customer has as many open requests as allowed (409).
        TooMany: A new account has sent as many requests in the last hour as allowed (429).
    """
    settings = current_settings()
    if (most := settings.open_requests_per_customer) and _open_requests(customer_id, up_to=most) >= most:
        raise TooManyOpenRequests(most)
    if (most := settings.new_account_requests_an_hour) and at - signed_up < NEW_FOR:
        nth_latest = (
            select(TaskRequest.created_at)
            .where(TaskRequest.customer_id == customer_id, TaskRequest.created_at > at - HOUR)
            .order_by(TaskRequest.created_at.desc())
            .offset(most - 1)
            .limit(1)
        )
        if (reached := db.session.execute(nth_latest).scalar_one_or_none()) is not None:
            wait = max(1, ceil((reached + HOUR - at).total_seconds()))
            raise TooMany(f"New accounts can send {most} requests per hour. Wait, then try again.", retry_after=wait)


def _open_requests(customer_id: int, *, up_to: int) -> int:
    found = select(TaskRequest.id).where(TaskRequest.customer_id == customer_id, TaskRequest.status.in_(OPEN))
    statement = select(func.count()).select_from(found.limit(up_to).subquery())
    return int(db.session.execute(statement).scalar_one())
