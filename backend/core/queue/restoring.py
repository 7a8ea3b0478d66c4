"""What a restored database must not do again: send what it holds, and begin periods that are over."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.database import db
from backend.core.queue.models import Job, JobRun
from backend.core.queue.timetable import table

NOTE: Final = {"restored": True}


def dead_letter_all_but(topics: Collection[str], *, error: str) -> int:
    """Put every open job of other topics where an admin sees it and may run it again; returns how many.

    Their keys are set free, so that the same work can be asked for anew.
    """
    statement = (
        update(Job)
        .where(Job.done_at.is_(None), Job.parked_at.is_(None), Job.topic.not_in(topics))
        .values(parked_at=func.now(), error=error, key=None, lease_until=None, lease_token=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.execute(statement).all())


def fail_open_runs(names: Collection[str], *, error: str) -> None:
    """Close runs of these jobs that were under way when the copy was made."""
    statement = update(JobRun).where(JobRun.name.in_(names), JobRun.finished_at.is_(None))
    values = {"status": "failed", "finished_at": func.now(), "error": error}
    db.session.execute(statement.values(**values).execution_options(synchronize_session=False))


def claim_past_periods() -> None:
    """Claim the latest period of every scheduled job: the next one to run is the next one that is due."""
    moment = now()
    for row in table().values():
        values = {"name": row.name, "period": row.when.latest(moment).key, "status": "done", "params": NOTE}
        claimed = insert(JobRun).values(**values, finished_at=func.now())
        db.session.execute(claimed.on_conflict_do_nothing(index_elements=["name", "period"]))
