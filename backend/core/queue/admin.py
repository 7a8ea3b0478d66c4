"""Jobs for admins: the schedule, runs, failed jobs and the backlog; and the state after a restore."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.db.pagination import Page, Window, after, cut, decode_cursor, order
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.lanes import Lane
from backend.core.queue import topics
from backend.core.queue.models import Job, JobRun
from backend.core.queue.outbox import dispatch
from backend.core.queue.schedule import Scheduled, table

NEWEST_RUNS: Final = ((JobRun.id, True),)
NEWEST_FAILED: Final = ((Job.dead_at, True), (Job.id, True))
RESTORED: Final = {"restored": True}


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A scheduled job with its last run and next time."""

    row: Scheduled
    last_run: JobRun | None
    next_run: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open jobs, dead-lettered jobs, and how long the oldest due job has waited."""

    waiting: int
    dead: int
    oldest_seconds: float


def schedule_entries() -> list[ScheduleEntry]:
    """Return all scheduled jobs in the order of the schedule."""
    newest = select(func.max(JobRun.id)).where(JobRun.name.in_(list(table()))).group_by(JobRun.name)
    found = db.session.execute(select(JobRun).where(JobRun.id.in_(newest.scalar_subquery()))).scalars()
    last = {run.name: run for run in found}
    at = now()
    return [ScheduleEntry(row, last.get(row.name), row.when.following(at)) for row in table().values()]


def scheduled(name: str) -> Scheduled:
    """Return a scheduled job. Raises NotFound."""
    if name not in table():
        raise NotFound(f"Job not found. The jobs are: {', '.join(table())}.")
    return table()[name]


def run(run_id: int) -> JobRun:
    """Return a run. Raises NotFound."""
    found = db.session.get(JobRun, run_id)
    if found is None:
        raise NotFound("Run not found.")
    return found


def run_page(*, name: str | None, window: Window) -> Page[JobRun]:
    """Return a page of runs, newest first."""
    statement = select(JobRun)
    if name is not None:
        statement = statement.where(JobRun.name == name)
    if window.cursor:
        statement = statement.where(after(NEWEST_RUNS, decode_cursor("runs", window.cursor, length=1)))
    rows = db.session.execute(statement.order_by(*order(NEWEST_RUNS)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope="runs", values=lambda row: (row.id,))


def failed_jobs(*, window: Window) -> Page[Job]:
    """Return a page of jobs that failed permanently, newest first."""
    statement = select(Job).where(Job.dead_at.is_not(None))
    if window.cursor:
        statement = statement.where(after(NEWEST_FAILED, decode_cursor("dead", window.cursor, length=2)))
    rows = db.session.execute(statement.order_by(*order(NEWEST_FAILED)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope="dead", values=lambda row: (row.dead_at, row.id))


def retry_failed(job_id: int) -> Job:
    """Retry a dead-lettered job. Raises NotFound, or Conflict if it is not dead-lettered."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("Job not found.")
    values = {"dead_at": None, "attempts": 0, "run_at": func.now(), "dispatched_at": func.now(), "lease_until": None}
    statement = update(Job).where(Job.id == job_id, Job.dead_at.is_not(None)).values(**values).returning(Job.id)
    if db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none() is None:
        raise Conflict("This job is no longer in the list of failed jobs.", code="job_not_failed")
    if (run_id := topics.run_id(job.payload)) is not None:
        reopened = {"status": "running", "finished_at": None, "error": None}
        db.session.execute(update(JobRun).where(JobRun.id == run_id).values(**reopened))
    dispatch([job_id], lane=Lane(job.lane))
    db.session.refresh(job)
    return job


def backlog() -> Backlog:
    """Count open and dead-lettered jobs, through indexes that contain only those."""
    waiting = select(
        func.count(),
        func.coalesce(func.max(func.extract("epoch", func.now() - Job.run_at)).filter(Job.run_at <= func.now()), 0),
    ).where(Job.done_at.is_(None), Job.dead_at.is_(None))
    count, oldest = db.session.execute(waiting).one()
    dead = db.session.execute(select(func.count()).where(Job.dead_at.is_not(None))).scalar_one()
    return Backlog(waiting=count, dead=dead, oldest_seconds=float(oldest))


def dead_letter_all_but(topics: Collection[str], *, error: str) -> int:
    """Dead-letter every open job of other topics, so that an admin can retry it, and return how many.

    Their keys are cleared, so that the same work can be enqueued again.
    """
    statement = (
        update(Job)
        .where(Job.done_at.is_(None), Job.dead_at.is_(None), Job.topic.not_in(topics))
        .values(dead_at=func.now(), error=error, key=None, lease_until=None, lease_token=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.execute(statement).all())


def fail_open_runs(names: Collection[str], *, error: str) -> None:
    """Close runs of these jobs that were in progress when the backup was made."""
    statement = update(JobRun).where(JobRun.name.in_(names), JobRun.finished_at.is_(None))
    values = {"status": "failed", "finished_at": func.now(), "error": error}
    db.session.execute(statement.values(**values).execution_options(synchronize_session=False))


def claim_past_periods() -> None:
    """Claim the latest period of every scheduled job, so that only later periods run."""
    at = now()
    for row in table().values():
        values = {"name": row.name, "period": row.when.latest(at).key, "status": "done", "params": RESTORED}
        claimed = insert(JobRun).values(**values, finished_at=func.now())
        db.session.execute(claimed.on_conflict_do_nothing(index_elements=["name", "period"]))
