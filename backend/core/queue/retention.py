"""Deletion of old rows from the job table."""

from datetime import timedelta
from typing import Final

from sqlalchemy import and_, delete, func, or_, select, union_all

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.queue.models import Job, JobRun
from backend.core.queue.schedule import table

DEAD_KEPT: Final = timedelta(days=90)
RUNS_KEPT: Final = timedelta(days=400)
BATCH: Final = 500


def drop_done_jobs(limit: int = BATCH) -> int:
    """Delete jobs done some days ago and jobs dead-lettered months ago, and return how many."""
    done_before = now() - timedelta(days=current_settings().jobs_keep_days)
    done = select(Job.id).where(Job.done_at < done_before).order_by(Job.done_at).limit(limit)
    dead = select(Job.id).where(Job.dead_at < now() - DEAD_KEPT).order_by(Job.dead_at).limit(limit)
    # Each part has its own index; an OR of both would scan the whole table.
    halves = [half.with_for_update(skip_locked=True).cte(name) for half, name in ((done, "done"), (dead, "dead"))]
    chosen = union_all(*(select(half.c.id) for half in halves)).limit(limit)
    gone = delete(Job).where(Job.id.in_(chosen.scalar_subquery())).returning(Job.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def drop_old_runs(limit: int = BATCH) -> int:
    """Delete old runs, of frequent jobs after some days, and return how many."""
    often = [
        and_(JobRun.name == row.name, JobRun.finished_at < now() - row.runs_kept)
        for row in table().values()
        if row.runs_kept < RUNS_KEPT
    ]
    old = or_(JobRun.finished_at < now() - RUNS_KEPT, *often)
    # The newest run of a job stays, so that its period cannot be claimed again.
    newest = select(func.max(JobRun.id)).group_by(JobRun.name)
    chosen = select(JobRun.id).where(old, JobRun.id.not_in(newest)).order_by(JobRun.id).limit(limit)
    gone = delete(JobRun).where(JobRun.id.in_(chosen.scalar_subquery())).returning(JobRun.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())
