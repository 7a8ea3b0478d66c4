"""Runs of scheduled jobs: claimed once per period, started, counted, closed."""

import uuid
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import InstrumentedAttribute

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.events.announce import announce
from backend.core.events.protocol import Topic as EventTopic
from backend.core.lanes import Lane
from backend.core.queue.models import JobRun
from backend.core.queue.outbox import enqueue, enqueue_many
from backend.core.queue.schedule import Scheduled, table
from backend.core.queue.topics import PartPayload, RunPayload, Topic
from backend.core.security.authz import Role

COMPLETE: Final = Topic("run.settle", RunPayload)
ABOVE_ALL_IDS: Final = 2**63 - 1
Part = TypeVar("Part", bound=PartPayload)


class IdRange(NamedTuple):
    """The ids above ``after``, up to ``until``."""

    after: int
    until: int


def claim_due() -> list[str]:
    """Claim every due period, start its run, and return the names. Safe for concurrent callers."""
    at = now()
    due = [(row, period) for row in table().values() if at - (period := row.when.latest(at)).due_at <= row.catch_up]
    known = select(JobRun.name, JobRun.period).where(JobRun.period.in_([period.key for _, period in due]))
    claimed = {(name, period) for name, period in db.session.execute(known)}
    fresh = [(row, period) for row, period in due if (row.name, period.key) not in claimed]
    return [row.name for row, period in fresh if _insert(row, period=period.key) is not None]


def start(row: Scheduled, *, params: Mapping[str, object], requested_by: int | None) -> int:
    """Start a run that an admin requested and return its id."""
    run_id = _insert(row, period=f"asked-{uuid.uuid4().hex}", params=params, requested_by=requested_by)
    if run_id is None:
        raise RuntimeError("a random period was there already")
    return run_id


def _insert(
    row: Scheduled, *, period: str, params: Mapping[str, object] | None = None, requested_by: int | None = None
) -> int | None:
    values = {"name": row.name, "period": period, "params": dict(params or {}), "requested_by": requested_by}
    statement = insert(JobRun).values(values).on_conflict_do_nothing(index_elements=["name", "period"])
    run_id = db.session.execute(statement.returning(JobRun.id)).scalar_one_or_none()
    if run_id is not None:
        enqueue(row.topic, RunPayload(run_id), key=f"run{run_id}", lane=row.lane)
        _announce(run_id)
    return run_id


def begin(run_id: int) -> JobRun:
    """Mark the run as running and return it."""
    values = {"status": "running", "started_at": func.coalesce(JobRun.started_at, func.now())}
    _change(run_id, **values)
    return db.session.execute(
        select(JobRun).where(JobRun.id == run_id).execution_options(populate_existing=True)
    ).scalar_one()


def add(run_id: int, *, sent: int = 0, failed: int = 0, skipped: int = 0) -> None:
    """Add to the run's counts in the current transaction."""
    _change(run_id, sent=JobRun.sent + sent, failed=JobRun.failed + failed, skipped=JobRun.skipped + skipped)


def count(run_id: int, *, sent: int, failed: int) -> None:
    """Set the run's counts, recounted from the deliveries."""
    _change(run_id, sent=sent, failed=failed)


def id_ranges(ids: InstrumentedAttribute[int], where: ColumnElement[bool], *, size: int) -> list[IdRange]:
    """Return ranges of ids of ``size`` rows each that together cover all rows."""
    rows = select(ids.label("id"), func.row_number().over(order_by=ids).label("place")).where(where).subquery()
    ends = db.session.execute(select(rows.c.id).where(rows.c.place % size == 0).order_by(rows.c.id)).scalars()
    return [IdRange(after, until) for after, until in pairwise([0, *ends, ABOVE_ALL_IDS])]


def split(run_id: int, topic: Topic[Part], parts: Sequence[Part]) -> None:
    """Split a run into one bulk job per part; they run in any order, and each ends with ``part_done``."""
    _change(run_id, parts_left=len(parts))
    enqueue_many(topic, [(f"run{run_id}:{part.after}", part) for part in parts], lane=Lane.BULK)


def part_done(run_id: int) -> None:
    """Report that a part has written its messages; the last part starts the run's completion."""
    statement = update(JobRun).where(JobRun.id == run_id).values(parts_left=JobRun.parts_left - 1)
    if db.session.execute(statement.returning(JobRun.parts_left)).scalar_one() == 0:
        enqueue_completion(run_id)


def enqueue_completion(run_id: int) -> None:
    """Close the run once all its messages are sent or have failed permanently."""
    enqueue(COMPLETE, RunPayload(run_id), key=f"run{run_id}")


def note(run_id: int, **facts: object) -> None:
    """Store facts with the run, for admins."""
    _change(run_id, params=JobRun.params.op("||")(cast(facts, JSONB)))


def close(run_id: int) -> None:
    """Mark the run as done."""
    _change(run_id, status="done", finished_at=func.coalesce(JobRun.finished_at, func.now()))


def fail(run_id: int, error: str) -> None:
    """Mark the run as failed."""
    _change(run_id, status="failed", finished_at=func.now(), error=error[:2000])


def _change(run_id: int, **values: object) -> None:
    statement = update(JobRun).where(JobRun.id == run_id).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))
    _announce(run_id)


def _announce(run_id: int) -> None:
    announce(EventTopic.JOBS, roles=[Role.ADMIN], object_id=run_id)
