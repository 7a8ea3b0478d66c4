"""Drops what the job table no longer needs."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select

from backend.core.clock import now
from backend.core.database import db
from backend.core.queue.models import Job, JobRun

DONE_KEPT: Final = timedelta(days=3)
PARKED_KEPT: Final = timedelta(days=90)
RUNS_KEPT: Final = timedelta(days=400)
FREQUENT_RUNS_KEPT: Final = timedelta(days=2)
BATCH: Final = 500


def drop_done_jobs() -> int:
    """Delete jobs done some days ago and parked ones that nobody looked after for months."""
    old = or_(Job.done_at < now() - DONE_KEPT, Job.parked_at < now() - PARKED_KEPT)
    chosen = select(Job.id).where(old).limit(BATCH).with_for_update(skip_locked=True)
    gone = delete(Job).where(Job.id.in_(chosen.scalar_subquery())).returning(Job.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def drop_old_runs() -> int:
    """Delete runs of long ago; of housekeeping, which runs every minute, those older than two days."""
    frequent = (JobRun.name == "housekeeping") & (JobRun.finished_at < now() - FREQUENT_RUNS_KEPT)
    old = or_(JobRun.finished_at < now() - RUNS_KEPT, frequent)
    # The newest run of a job stays: its period must not be claimed a second time.
    newest = select(func.max(JobRun.id)).group_by(JobRun.name)
    chosen = select(JobRun.id).where(old, JobRun.id.not_in(newest)).limit(BATCH)
    gone = delete(JobRun).where(JobRun.id.in_(chosen.scalar_subquery())).returning(JobRun.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())
