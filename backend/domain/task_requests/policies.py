"""Rules of the marketplace and of single tasks: notice, response time, start code, limits on open requests."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Invalid, TooMany
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.live_updates.changes import announce_tasks
from backend.domain.market import settings
from backend.domain.places import queries as places
from backend.domain.task_requests.errors import TooManyOpenRequests
from backend.domain.task_requests.models import TaskPolicy
from backend.domain.tasks import queries as tasks
from backend.domain.tasks.models import Task

NAMES: Final = (
    "answer_within_minutes",
    "min_notice_minutes",
    "free_cancel_minutes",
    "travel_buffer_minutes",
    "start_code",
)
OwnSettings = dict[str, int | str | None]  # by the names of the settings; None: the marketplace's applies
HOUR: Final = timedelta(hours=1)
NEW_FOR: Final = timedelta(days=1)
# What `of_row` reads, for statements that also read or lock other things.
COLUMNS: Final = """market.settings, policy.answer_within_minutes, policy.min_notice_minutes,
       policy.free_cancel_minutes, policy.travel_buffer_minutes, policy.start_code"""
SOURCE: Final = """(SELECT jsonb_object_agg(name, value) AS settings FROM market_settings) market
  LEFT JOIN task_policies policy ON policy.task_id = :task_id"""
POLICY: Final = text(f"SELECT {COLUMNS} FROM {SOURCE}")  # noqa: S608  # all parts are constants
TERMS: Final = text(f"""
SELECT (SELECT count(*)
          FROM (SELECT FROM task_requests
                 WHERE customer_id = :customer_id AND status IN ('requested', 'accepted')
                 LIMIT :most_open) counted) AS open_requests,
       (SELECT created_at FROM task_requests
         WHERE :is_new_account AND customer_id = :customer_id AND created_at > :hour_ago
         ORDER BY created_at DESC OFFSET :most_an_hour - 1 LIMIT 1) AS nth_latest,
       EXISTS (SELECT FROM places WHERE pincode = :pincode) AS is_known_place,
       {COLUMNS}
  FROM {SOURCE}
""")  # noqa: S608  # all parts are constants


@dataclass(frozen=True, slots=True)
class Policy:
    """The effective settings of a task, named as the marketplace's settings; durations are in minutes."""

    answer_within_minutes: int
    min_notice_minutes: int
    free_cancel_minutes: int
    travel_buffer_minutes: int
    start_code: str

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

    def as_dict(self) -> dict[str, int | str]:
        return asdict(self)


def for_task(task_id: int) -> Policy:
    """Return the marketplace's settings with those of the task applied."""
    return of_row(read_pool.one(POLICY, {"task_id": task_id}))


def of_row(row: Sequence[Any]) -> Policy:
    """Return the policy of the columns in `COLUMNS`."""
    return _apply(settings.of_rows(row[0] or {}), row[1:])


def _apply(market: settings.MarketSettings, own: Sequence[Any]) -> Policy:
    """Return the marketplace's settings with a task's own ones applied."""
    values = (getattr(market, name) if value is None else value for name, value in zip(NAMES, own, strict=True))
    return Policy(*values)


def get_own(actor: Actor, *, task_id: int) -> OwnSettings:
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


def change(actor: Actor, *, task_id: int, values: OwnSettings) -> OwnSettings:
    """Replace all of a task's own settings. Raises NotFound, or Invalid for a value out of bounds."""
    before = get_own(actor, task_id=task_id)
    for name, value in values.items():
        if isinstance(value, str):
            settings.check_choice(name, value)
        elif value is not None and not settings.BOUNDS[name][0] <= value <= settings.BOUNDS[name][1]:
            raise Invalid.field(name, f"Must be from {settings.BOUNDS[name][0]} to {settings.BOUNDS[name][1]}.")
    after = {**dict.fromkeys(NAMES), **values}
    statement = insert(TaskPolicy).values(task_id=task_id, **after)
    db.session.execute(statement.on_conflict_do_update(index_elements=["task_id"], set_=after))
    if after != before:
        record(actor, "task_policy_changed", subject_id=task_id, subject_kind="task", before=before, after=after)
        announce_tasks()
    return after


class Terms(NamedTuple):
    """What applies to a new request: the policy of its task, and how many professionals are notified of it."""

    policy: Policy
    tell_nearest: int


def for_new_request(
    customer_id: int, *, task_id: int, signed_up: datetime, at: datetime, pincode: str | None = None
) -> Terms:
    """Return the terms of a request that this customer may create now; one query reads all of it.

    The customer's account is locked before, in a statement of its own: this query then sees the requests that they
    created at the same time.

    Raises:
        TooManyOpenRequests: The customer has as many open requests as allowed (409).
        TooMany: A new account has sent as many requests in the last hour as allowed (429).
        Invalid: There is no such pincode.
    """
    limits = current_settings()
    most_an_hour = limits.new_account_requests_an_hour
    values = {
        "customer_id": customer_id,
        "task_id": task_id,
        "most_open": limits.open_requests_per_customer,
        "is_new_account": most_an_hour > 0 and at - signed_up < NEW_FOR,
        "hour_ago": at - HOUR,
        "most_an_hour": max(1, most_an_hour),
        "pincode": pincode,
    }
    open_requests, nth_latest, is_known_place, stored, *own = db.session.execute(TERMS, values).one()
    if limits.open_requests_per_customer and open_requests >= limits.open_requests_per_customer:
        raise TooManyOpenRequests(limits.open_requests_per_customer)
    if nth_latest is not None:
        wait = max(1, ceil((nth_latest + HOUR - at).total_seconds()))
        message = f"New accounts can send {most_an_hour} requests per hour. Wait, then try again."
        raise TooMany(message, retry_after=wait)
    if pincode is not None and not is_known_place:
        raise places.unknown_pincode()
    market = settings.of_rows(stored or {})
    return Terms(_apply(market, own), market.tell_nearest)
