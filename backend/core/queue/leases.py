"""Claiming, renewing and finishing jobs. Conditional updates decide who holds a job, never a check in Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update

from backend.core.config import current_settings
from backend.core.db.session import db, execute_at_commit
from backend.core.events.announce import announce
from backend.core.events.protocol import Topic as EventTopic
from backend.core.lanes import Lane
from backend.core.queue.models import Job
from backend.core.queue.topics import Stored, run_id
from backend.core.security.authz import Role

BACKOFF_BASE_SECONDS: Final = 5
BACKOFF_MAX_SECONDS: Final = 3600
REDISPATCH_SECONDS: Final = 10
FINISH_GUARDED: Final = b"""
    UPDATE jobs SET done_at = clock_timestamp(), lease_until = NULL, dead_at = NULL, error = NULL
     WHERE id = %(id)s AND done_at IS NULL
"""


class LeaseLost(Exception):
    """Another worker holds the job now, so this worker's changes must be rolled back."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that one worker holds until the lease expires.

    ``interrupted``: the previous worker died or froze without reporting a result.
    """

    job_id: int
    token: str
    topic: str
    payload: Stored
    attempts: int
    trace_id: str | None
    lane: str = Lane.URGENT
    interrupted: bool = False
    traceparent: str | None = None

    @property
    def run_id(self) -> int | None:
        """Return the run that the job belongs to, if any."""
        return run_id(self.payload)


@dataclass(frozen=True, slots=True)
class Snooze:
    """The result of a job that is not done yet: run it again after this many seconds, without using an attempt.

    ``is_progress``: a part of the work is done for good, so earlier failures count no more.
    """

    reason: str
    after_seconds: int
    is_progress: bool = False


def seconds(amount: float) -> ColumnElement[timedelta]:
    """Return a PostgreSQL interval of this many seconds."""
    return func.make_interval(0, 0, 0, 0, 0, 0, amount)


def claim(job_id: int, *, lease_seconds: int) -> Lease | None:
    """Claim a due job without a holder. Returns None if it is held, done or not due. The caller commits."""
    leases = claim_many([job_id], lease_seconds=lease_seconds)
    return leases[0] if leases else None


def claim_many(job_ids: Sequence[int], *, lease_seconds: int) -> list[Lease]:
    """Claim those of the jobs that are due and not held, in one statement and in the given order."""
    free = select(Job.id).where(Job.id.in_(job_ids), _due()).order_by(Job.id)
    leases = _claim(free, lease_seconds=lease_seconds)
    return [leases[job_id] for job_id in dict.fromkeys(job_ids) if job_id in leases]


def claim_next(lane: Lane, *, limit: int, lease_seconds: int) -> list[Lease]:
    """Claim the jobs of a lane that have been due for longest and are not held. The caller commits."""
    free = select(Job.id).where(Job.lane == lane, _due()).order_by(Job.run_at).limit(limit)
    leases = _claim(free, lease_seconds=lease_seconds)
    return [leases[job_id] for job_id in sorted(leases)]


def is_waiting(lane: Lane, *, for_seconds: float = 0) -> bool:
    """Return whether a job of the lane has been due for ``for_seconds`` and is not held."""
    due = exists().where(Job.lane == lane, _open(), Job.run_at <= func.now() - seconds(for_seconds))
    return bool(db.session.execute(select(due)).scalar_one())


def waiting_lanes() -> set[Lane]:
    """Return the lanes in which a job is due and not held. One statement: it runs every few seconds."""
    due = [exists().where(Job.lane == lane, _due()).label(lane) for lane in Lane]
    found = db.session.execute(select(*due)).one()
    return {lane for lane, waiting in zip(Lane, found, strict=True) if waiting}


def _claim(free: Select[int], *, lease_seconds: int) -> dict[int, Lease]:
    # Finishing, rescheduling or releasing a job clears lease_until; one that is still set was never returned.
    taken = free.add_columns(Job.lease_until.is_not(None).label("interrupted"))
    held = taken.with_for_update(skip_locked=True).cte("held")
    statement = (
        update(Job)
        .where(Job.id == held.c.id)
        .values(
            lease_until=func.now() + seconds(lease_seconds),
            lease_token=func.gen_random_uuid(),
            attempts=Job.attempts + 1,
        )
        .returning(
            Job.id,
            Job.lease_token,
            Job.topic,
            Job.payload,
            Job.attempts,
            Job.trace_id,
            Job.lane,
            held.c.interrupted,
            Job.traceparent,
        )
        .execution_options(synchronize_session=False)
    )
    return {row[0]: Lease(*row) for row in db.session.execute(statement)}


def renew(lease: Lease, *, lease_seconds: int) -> None:
    """Extend the lease. Raises LeaseLost if another worker took the job. The caller commits."""
    _held(lease, lease_until=func.now() + seconds(lease_seconds))


def finish(lease: Lease) -> None:
    """Mark the job as done in the transaction of its effect. Raises LeaseLost if another worker took it."""
    # clock_timestamp(), because now() is the start of the transaction and would date a long job's end too early.
    _held(lease, done_at=func.clock_timestamp(), lease_until=None, error=None)


def finish_guarded(lease: Lease) -> None:
    """Mark a guarded job as done, whichever worker holds the lease now.

    The worker was frozen for longer than its lease, but its effect has left the system and cannot be rolled back. A
    worker that took the job meanwhile cannot have executed it, because this transaction holds the guarding row.
    """
    execute_at_commit(FINISH_GUARDED, {"id": lease.job_id})


def release(leases: Sequence[Lease]) -> None:
    """Release jobs that were claimed but not started, except those that another worker has claimed meanwhile."""
    for lease in sorted(leases, key=lambda lease: lease.job_id):  # in one order everywhere, so that none deadlock
        _update(lease, lease_until=None, lease_token=None, attempts=Job.attempts - 1, dispatched_at=None)


def fail(lease: Lease, error: str, *, after_seconds: int | None = None) -> bool:
    """Reschedule the job, or dead-letter it after too many attempts. Returns whether it was dead-lettered."""
    if lease.attempts >= current_settings().job_max_attempts:
        dead_letter(lease, error)
        return True
    _put_back(lease, error, run_at=_run_at(lease, after_seconds))
    return False


def snooze(lease: Lease, reason: str, *, after_seconds: int | None = None, is_progress: bool = False) -> None:
    """Reschedule the job without using an attempt, or with all attempts left after progress."""
    attempts = 0 if is_progress else Job.attempts - 1
    _put_back(lease, reason, run_at=_run_at(lease, after_seconds), attempts=attempts)


def dead_letter(lease: Lease, error: str) -> None:
    """Mark the job as failed permanently, whatever attempts are left."""
    _put_back(lease, error, dead_at=func.now())
    announce(EventTopic.JOBS, roles=[Role.ADMIN])


def is_older_than(lease: Lease, age: timedelta) -> bool:
    """Return whether the job was enqueued before that long."""
    query = select(Job.created_at < func.now() - age).where(Job.id == lease.job_id)
    return bool(db.session.execute(query).scalar_one())


def undispatched_ids(lane: Lane, *, limit: int = 1000) -> list[int]:
    """Return due jobs of a lane that are neither held nor recently dispatched, oldest first, and mark them dispatched.

    Their message was lost, their worker died, or their delay is over. The caller commits, then notifies workers.
    """
    silent = or_(Job.dispatched_at.is_(None), Job.dispatched_at < func.now() - seconds(REDISPATCH_SECONDS))
    found = (
        select(Job.id)
        .where(Job.lane == lane, _due(), silent)
        .order_by(Job.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Job)
        .where(Job.id.in_(found.scalar_subquery()))
        .values(dispatched_at=func.now())
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(db.session.execute(statement).scalars())


def _due() -> ColumnElement[bool]:
    return and_(_open(), Job.run_at <= func.now())


def _open() -> ColumnElement[bool]:
    return and_(
        Job.done_at.is_(None), Job.dead_at.is_(None), or_(Job.lease_until.is_(None), Job.lease_until < func.now())
    )


def _run_at(lease: Lease, after_seconds: int | None) -> ColumnElement[datetime]:
    """Return a jittered time: a requested delay is never shortened, without one the delay grows by attempt."""
    if after_seconds is not None:
        return func.now() + seconds(after_seconds) * (1 + 0.1 * func.random())
    pause = min(BACKOFF_MAX_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (lease.attempts - 1))
    return func.now() + seconds(pause) * (0.75 + 0.5 * func.random())


def _put_back(lease: Lease, error: str, **values: object) -> None:
    _held(lease, error=error[:2000], lease_until=None, dispatched_at=None, **values)


def _held(lease: Lease, **values: object) -> None:
    if not _update(lease, **values):
        raise LeaseLost(f"job {lease.job_id} is leased by another worker")


def _update(lease: Lease, **values: object) -> bool:
    held = and_(Job.id == lease.job_id, Job.lease_token == lease.token, Job.done_at.is_(None))
    statement = update(Job).where(held).values(**values).returning(Job.id)
    return db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none() is not None
