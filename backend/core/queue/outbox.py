"""Enqueueing jobs in the transaction of the change, and notifying workers after commit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, cast

import structlog
from flask import Flask
from sqlalchemy import Table, event, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, SessionTransaction

from backend.core.db.session import db
from backend.core.failpoints import failpoint
from backend.core.lanes import Lane
from backend.core.queue.models import Job
from backend.core.queue.topics import Payload, Topic

log = structlog.get_logger(__name__)


class Dispatcher(Protocol):
    """Notifies the workers of a lane about jobs."""

    def __call__(self, job_ids: list[int], *, lane: Lane) -> None: ...


TABLE: Final = cast("Table", Job.__table__)  # without the ORM, which costs as much as the statement
_PENDING: Final = "jobs_to_notify_of"
_dispatcher: Final[list[Dispatcher]] = []


def init_app(app: Flask, *, dispatcher: Dispatcher) -> None:
    """Set how workers are notified of new jobs. A failed notification is made up for by the sweep."""
    _dispatcher[:] = [dispatcher]
    app.extensions["job_dispatcher"] = dispatcher


def enqueue(
    topic: Topic[Payload],
    payload: Payload,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    lane: Lane = Lane.URGENT,
) -> None:
    """Add a job to the current transaction. If the key exists, done or not, nothing is added.

    A job with ``run_at`` starts when the sweep finds it due, others right after commit.
    """
    enqueue_many(topic, [(key, payload)], run_at=run_at, lane=lane)


def enqueue_many(
    topic: Topic[Payload],
    jobs: Iterable[tuple[str | None, Payload]],
    *,
    run_at: datetime | None = None,
    lane: Lane = Lane.URGENT,
) -> None:
    """Add many jobs of one topic, each a key and a payload, in one statement; see :func:`enqueue`."""
    later = {"run_at": run_at} if run_at is not None else {}
    trace_id = structlog.contextvars.get_contextvars().get("request_id")
    shared = {"topic": topic.name, "lane": lane, "trace_id": trace_id, **later}
    rows = [{**shared, "key": key, "payload": topic.dump(payload)} for key, payload in jobs]
    if not rows:
        return
    is_due = run_at is None
    dispatched = {"dispatched_at": func.now()} if is_due else {}
    statement = insert(TABLE).values(dispatched).on_conflict_do_nothing(index_elements=["topic", "key"])
    ids = db.session.execute(statement.returning(TABLE.c.id), rows).scalars().all()
    if is_due:
        dispatch(ids, lane=lane)


def dispatch(job_ids: Iterable[int], *, lane: Lane) -> None:
    """Notify workers of these jobs of a lane after the outermost transaction has committed."""
    _pending(db.session()).jobs.extend((lane, job_id) for job_id in job_ids)


@dataclass(slots=True)
class _Pending:
    """Jobs to notify workers of and, per open savepoint, how many there were when it started."""

    jobs: list[tuple[Lane, int]] = field(default_factory=list)
    before: dict[SessionTransaction, int] = field(default_factory=dict)


def _pending(session: Session) -> _Pending:
    pending: _Pending = session.info.setdefault(_PENDING, _Pending())
    return pending


@event.listens_for(Session, "after_transaction_create")
def _remember(session: Session, started: SessionTransaction) -> None:
    if started.nested:
        pending = _pending(session)
        pending.before[started] = len(pending.jobs)


@event.listens_for(Session, "after_commit")
def _notify(session: Session) -> None:
    if session.in_nested_transaction():
        return  # the event also fires on savepoint release, when the rows are not visible yet
    pending: _Pending | None = session.info.pop(_PENDING, None)
    if pending and pending.jobs and _dispatcher:
        failpoint("queue.before_ring")
        try:
            for lane in Lane:
                if job_ids := [job_id for of, job_id in pending.jobs if of is lane]:
                    _dispatcher[0](job_ids, lane=lane)
        except Exception as error:  # noqa: BLE001 - the change is safe in PostgreSQL; a silent broker must not turn it into a failure
            log.warning("dispatch.failed", error=repr(error), jobs=len(pending.jobs))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    """Drop the notifications of the rolled-back transaction or savepoint."""
    if ended.nested:
        pending = _pending(session)
        del pending.jobs[pending.before.pop(ended, len(pending.jobs)) :]
    elif ended.parent is None:
        session.info.pop(_PENDING, None)
