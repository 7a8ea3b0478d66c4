"""How the job table stands, in figures."""

from dataclasses import dataclass

from sqlalchemy import func, select

from backend.core.database import db
from backend.core.queue.models import Job


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs that wait or run, those parked for an admin, and how long the oldest due one has waited."""

    waiting: int
    parked: int
    oldest_seconds: float


def backlog() -> Backlog:
    """Count what is open (indexes hold open and parked jobs only)."""
    waiting = select(
        func.count(),
        func.coalesce(func.max(func.extract("epoch", func.now() - Job.run_at)).filter(Job.run_at <= func.now()), 0),
    ).where(Job.done_at.is_(None), Job.parked_at.is_(None))
    count, oldest = db.session.execute(waiting).one()
    parked = db.session.execute(select(func.count()).where(Job.parked_at.is_not(None))).scalar_one()
    return Backlog(waiting=count, parked=parked, oldest_seconds=float(oldest))
