"""Runs of scheduled jobs: claimed once a period, begun, counted, closed."""

import uuid
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import InstrumentedAttribute

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.queue.models import JobRun, Lane
from backend.core.queue.outbox import enqueue, enqueue_many
from backend.core.queue.schedule import Scheduled, table

SETTLE: Final = "run.settle"
ABOVE_ALL_IDS: Final = 2**63 - 1
Span = tuple[int, int]


def claim_due() -> list[str]:
    """Claim every period that is due and begin its run; returns the names. Any number of callers at once is safe."""
    moment = now()
    due = [
        (row, period) for row in table().values() if moment - (period := row.when.latest(moment)).due_at <= row.catch_up
    ]
    known = select(JobRun.name, JobRun.period).where(JobRun.period.in_([period.key for _, period in due]))
    claimed = {(name, period) for name, period in db.session.execute(known)}
    fresh = [(row, period) for row, period in due if (row.name, period.key) not in claimed]
    return [row.name for row, period in fresh if _insert(row, period=period.key) is not None]


def start(row: Scheduled, *, params: dict[str, Any], requested_by: int | None) -> int:
    """Begin a run that someone asked for, beside the scheduled ones; returns its id."""
    run_id = _insert(row, period=f"asked-{uuid.uuid4().hex}", params=params, requested_by=requested_by)
    if run_id is None:
        raise RuntimeError("a random period was there already")
    return run_id


def _insert(
    row: Scheduled, *, period: str, params: dict[str, Any] | None = None, requested_by: int | None = None
) -> int | None:
    values = {"name": row.name, "period": period, "params": params or {}, "requested_by": requested_by}
    statement = insert(JobRun).values(values).on_conflict_do_nothing(index_elements=["name", "period"])
    run_id = db.session.execute(statement.returning(JobRun.id)).scalar_one_or_none()
    if run_id is not None:
        enqueue(row.topic, {"run_id": run_id}, key=f"run{run_id}", lane=row.lane)
    return run_id


def begin(run_id: int) -> JobRun:
    """The run, marked as running from now on."""
    values = {"status": "running", "started_at": func.coalesce(JobRun.started_at, func.now())}
    _change(run_id, **values)
    return db.session.execute(
        select(JobRun).where(JobRun.id == run_id).execution_options(populate_existing=True)
    ).scalar_one()


def add(run_id: int, *, sent: int = 0, failed: int = 0, skipped: int = 0) -> None:
    """Count some more in the present transaction."""
    _change(run_id, sent=JobRun.sent + sent, failed=JobRun.failed + failed, skipped=JobRun.skipped + skipped)


def count(run_id: int, *, sent: int, failed: int) -> None:
    """Set what was counted anew from the ledger."""
    _change(run_id, sent=sent, failed=failed)


def spans(ids: InstrumentedAttribute[int], where: ColumnElement[bool], *, size: int) -> list[Span]:
    """Spans of ids (above the first, up to the second) that hold so many rows each, and together all there may be."""
    rows = select(ids.label("id"), func.row_number().over(order_by=ids).label("place")).where(where).subquery()
    ends = db.session.execute(select(rows.c.id).where(rows.c.place % size == 0).order_by(rows.c.id)).scalars()
    return list(pairwise([0, *ends, ABOVE_ALL_IDS]))


def spread(
    run_id: int, topic: str, payload: Mapping[str, Any], parts: Sequence[Span], *, lane: Lane = Lane.BULK
) -> None:
    """Share a run among workers: a job for each span, side by side in any order, each ending with ``part_done``."""
    _change(run_id, parts_left=len(parts))
    jobs = [{**payload, "run_id": run_id, "after": after, "until": until} for after, until in parts]
    enqueue_many(topic, [(f"run{run_id}:{job['after']}", job) for job in jobs], lane=lane)


def part_done(run_id: int) -> None:
    """A part of the run has written its messages; with the last one the run can be settled."""
    statement = update(JobRun).where(JobRun.id == run_id).values(parts_left=JobRun.parts_left - 1)
    if db.session.execute(statement.returning(JobRun.parts_left)).scalar_one() == 0:
        settle(run_id)


def settle(run_id: int) -> None:
    """All of the run's messages are written: close it once they are sent, or failed for good."""
    enqueue(SETTLE, {"run_id": run_id}, key=f"run{run_id}")


def note(run_id: int, **facts: Any) -> None:
    """Keep some facts with the run, for admins to read."""
    _change(run_id, params=JobRun.params.op("||")(cast(facts, JSONB)))


def close(run_id: int) -> None:
    """The run is done."""
    _change(run_id, status="done", finished_at=func.coalesce(JobRun.finished_at, func.now()))


def fail(run_id: int, error: str) -> None:
    """The run ended without having done its work."""
    _change(run_id, status="failed", finished_at=func.now(), error=error[:2000])


def _change(run_id: int, **values: Any) -> None:
    statement = update(JobRun).where(JobRun.id == run_id).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))
