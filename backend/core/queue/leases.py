"""Taking, keeping and ending a job: conditional updates decide who works, never a check in Python."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select, text, update

from backend.core.database import db
from backend.core.queue.models import Job

MAX_ATTEMPTS: Final = 8
BACKOFF_BASE_SECONDS: Final = 5
BACKOFF_MAX_SECONDS: Final = 3600
BOUNCE_SECONDS: Final = 10


class LeaseLost(Exception):
    """Another worker holds the job now: whatever this one did must be rolled back."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A job in the hands of one worker until the lease runs out."""

    job_id: int
    token: str
    topic: str
    payload: dict[str, Any]
    attempts: int
    trace_id: str | None


def claim(job_id: int, *, lease_seconds: int) -> Lease | None:
    """Take a due job that nobody holds. None: someone else has it, it is done, or it is not due. Caller commits."""
    statement = (
        update(Job)
        .where(
            Job.id == job_id,
            Job.done_at.is_(None),
            Job.parked_at.is_(None),
            Job.run_at <= func.now(),
            or_(Job.lease_until.is_(None), Job.lease_until < func.now()),
        )
        .values(
            lease_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lease_seconds),
            lease_token=func.gen_random_uuid(),
            attempts=Job.attempts + 1,
        )
        .returning(Job.id, Job.lease_token, Job.topic, Job.payload, Job.attempts, Job.trace_id)
    )
    row = db.session.execute(statement).one_or_none()
    return Lease(*row) if row else None


def renew(lease: Lease, *, lease_seconds: int) -> None:
    """Keep a long job. Raises LeaseLost when someone else took it. Caller commits."""
    _held(lease, lease_until=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lease_seconds))


def finish(lease: Lease) -> None:
    """Mark the job done in the transaction of its effect. Raises LeaseLost when someone else took it."""
    _held(lease, done_at=func.now(), lease_until=None, error=None)


def fail(lease: Lease, error: str, *, retry_seconds: int | None = None, give_up: bool = False) -> bool:
    """Put the job back with growing pauses (jittered), or park it for an admin after MAX_ATTEMPTS. True: parked."""
    parked = give_up or lease.attempts >= MAX_ATTEMPTS
    pause = retry_seconds or min(BACKOFF_MAX_SECONDS, BACKOFF_BASE_SECONDS * 2 ** (lease.attempts - 1))
    values: dict[str, Any] = {"error": error[:2000], "lease_until": None}
    if parked:
        values["parked_at"] = func.now()
    else:
        values["run_at"] = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause) * (0.75 + 0.5 * func.random())
    _held(lease, **values)
    return parked


def _held(lease: Lease, **values: Any) -> None:
    statement = (
        update(Job)
        .where(Job.id == lease.job_id, Job.lease_token == lease.token, Job.done_at.is_(None))
        .values(**values)
        .returning(Job.id)
    )
    if db.session.execute(statement).one_or_none() is None:
        raise LeaseLost(f"job {lease.job_id} is held by another worker")


def due_ids(*, limit: int = 500) -> list[int]:
    """Due jobs that nobody holds, oldest first: what the sweep rings for again. Fresh ones are left to their own bell."""
    statement = (
        select(Job.id)
        .where(
            Job.done_at.is_(None),
            Job.parked_at.is_(None),
            Job.run_at <= func.now() - text(f"interval '{BOUNCE_SECONDS} seconds'"),
            or_(Job.lease_until.is_(None), Job.lease_until < func.now()),
        )
        .order_by(Job.run_at)
        .limit(limit)
    )
    return list(db.session.execute(statement).scalars())
