"""What admins see of jobs: last and next runs, one run, and the jobs that were parked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update

from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import Conflict, NotFound
from backend.core.pagination import Page, Window, after, cut, decode_cursor, order
from backend.core.queue.lanes import Lane
from backend.core.queue.models import Job, JobRun
from backend.core.queue.outbox import ring
from backend.core.queue.timetable import Scheduled, table

NEWEST_RUNS: Final = ((JobRun.id, True),)
NEWEST_PARKED: Final = ((Job.parked_at, True), (Job.id, True))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the beat table, with its last run and its next time."""

    row: Scheduled
    last_run: JobRun | None
    next_run: datetime


def timetable() -> list[Line]:
    """All scheduled jobs in the table's order."""
    newest = select(func.max(JobRun.id)).where(JobRun.name.in_(list(table()))).group_by(JobRun.name)
    found = db.session.execute(select(JobRun).where(JobRun.id.in_(newest.scalar_subquery()))).scalars()
    last = {run.name: run for run in found}
    moment = now()
    return [Line(row, last.get(row.name), row.when.following(moment)) for row in table().values()]


def scheduled(name: str) -> Scheduled:
    """One row of the beat table. Raises NotFound."""
    if name not in table():
        raise NotFound(f"There is no such job. There are: {', '.join(table())}.")
    return table()[name]


def run(run_id: int) -> JobRun:
    """One run. Raises NotFound."""
    found = db.session.get(JobRun, run_id)
    if found is None:
        raise NotFound("No such run.")
    return found


def run_page(*, name: str | None, window: Window) -> Page[JobRun]:
    """Runs, newest first."""
    statement = select(JobRun)
    if name is not None:
        statement = statement.where(JobRun.name == name)
    if window.cursor:
        statement = statement.where(after(NEWEST_RUNS, decode_cursor("runs", window.cursor, length=1)))
    rows = db.session.execute(statement.order_by(*order(NEWEST_RUNS)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope="runs", values=lambda row: (row.id,))


def parked_page(*, window: Window) -> Page[Job]:
    """Jobs that were given up after too many tries, newest first."""
    statement = select(Job).where(Job.parked_at.is_not(None))
    if window.cursor:
        statement = statement.where(after(NEWEST_PARKED, decode_cursor("parked", window.cursor, length=2)))
    rows = db.session.execute(statement.order_by(*order(NEWEST_PARKED)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope="parked", values=lambda row: (row.parked_at, row.id))


def retry_parked(job_id: int) -> Job:
    """Begin a parked job anew. Raises NotFound, or Conflict when it is parked no more."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("No such job.")
    values = {"parked_at": None, "attempts": 0, "run_at": func.now(), "rung_at": func.now(), "lease_until": None}
    statement = update(Job).where(Job.id == job_id, Job.parked_at.is_not(None)).values(**values).returning(Job.id)
    if db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none() is None:
        raise Conflict("This job is not parked any more.", code="not_parked")
    if "run_id" in job.payload:
        reopened = {"status": "running", "finished_at": None, "error": None}
        db.session.execute(update(JobRun).where(JobRun.id == job.payload["run_id"]).values(**reopened))
    ring([job_id], lane=Lane(job.lane))
    db.session.refresh(job)
    return job
