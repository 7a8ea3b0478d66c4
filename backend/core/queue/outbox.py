"""Writing jobs with the change that needs them, and ringing the worker after commit."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from flask import Flask
from sqlalchemy import event, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.core.crash import crash_point
from backend.core.database import db
from backend.core.queue.models import Job

log = structlog.get_logger(__name__)
Bell = Callable[[list[int]], None]
_RINGING = "jobs_to_ring"
_bell: list[Bell] = []


def init_app(app: Flask, *, bell: Bell) -> None:
    """Say how a worker is told of new jobs. The bell may fail: the sweep finds what it did not announce."""
    _bell[:] = [bell]
    app.extensions["job_bell"] = bell


def enqueue(topic: str, payload: Mapping[str, Any], *, key: str | None = None, run_at: datetime | None = None) -> None:
    """Add one job to the present transaction. A key that is already there (done or not) adds nothing.

    A job with a ``run_at`` begins when the sweep finds it due; one without begins right after commit.
    """
    enqueue_many(topic, [(key, payload)], run_at=run_at)


def enqueue_many(
    topic: str, jobs: Iterable[tuple[str | None, Mapping[str, Any]]], *, run_at: datetime | None = None
) -> None:
    """Add many jobs of one topic in one statement; see :func:`enqueue`."""
    later = {"run_at": run_at} if run_at is not None else {}
    trace_id = structlog.contextvars.get_contextvars().get("request_id")
    rows = [
        {"topic": topic, "key": key, "payload": dict(payload), "trace_id": trace_id, **later} for key, payload in jobs
    ]
    if not rows:
        return
    rings_now = run_at is None
    told = {"rung_at": func.now()} if rings_now else {}
    statement = insert(Job).values(told).on_conflict_do_nothing(index_elements=["topic", "key"]).returning(Job.id)
    ids = db.session.execute(statement, rows).scalars().all()
    if rings_now:
        ring(ids)


def ring(job_ids: Iterable[int]) -> None:
    """Tell a worker of these jobs once the present transaction is committed."""
    db.session.info.setdefault(_RINGING, []).extend(job_ids)


@event.listens_for(Session, "after_commit")
def _ring(session: Session) -> None:
    ids: list[int] = session.info.pop(_RINGING, [])
    if ids and _bell:
        crash_point("queue.before_ring")
        try:
            _bell[0](ids)
        except Exception as error:  # noqa: BLE001 - the change is safe in PostgreSQL; a silent broker must not turn it into a failure
            log.warning("job_bell_failed", error=repr(error), jobs=len(ids))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _previous: object) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_RINGING, None)
