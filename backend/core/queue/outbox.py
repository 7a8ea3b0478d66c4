"""Enqueueing jobs in the transaction of the change, and notifying workers after commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol

import orjson
import structlog
from flask import Flask
from sqlalchemy import text

from backend.core.db.after_commit import AfterCommit
from backend.core.db.session import db
from backend.core.failpoints import failpoint
from backend.core.lanes import Lane
from backend.core.observability import trace_context
from backend.core.queue.topics import Payload, Topic

log = structlog.get_logger(__name__)


class Dispatcher(Protocol):
    """Notifies the workers of a lane about jobs."""

    def __call__(self, job_ids: list[int], *, lane: Lane) -> None: ...


# The same text for any number of jobs, so that it is compiled and prepared once.
JOBS: Final = text("""
INSERT INTO jobs (topic, lane, key, payload, trace_id, traceparent, run_at, dispatched_at)
SELECT :topic, :lane, key, payload, :trace_id, :traceparent, coalesce(CAST(:run_at AS timestamptz), now()),
       CASE WHEN CAST(:run_at AS timestamptz) IS NULL THEN now() END
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (key text, payload jsonb)
    ON CONFLICT (topic, key) DO NOTHING RETURNING id
""")
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
    rows = [{"key": key, "payload": topic.dump(payload)} for key, payload in jobs]
    if not rows:
        return
    values = {
        "topic": topic.name,
        "lane": lane,
        "trace_id": structlog.contextvars.get_contextvars().get("request_id"),
        "traceparent": trace_context.current(),
        "run_at": run_at,
        "rows": orjson.dumps(rows).decode(),
    }
    ids = db.session.execute(JOBS, values).scalars().all()
    if run_at is None:
        dispatch(ids, lane=lane)


def dispatch(job_ids: Iterable[int], *, lane: Lane) -> None:
    """Notify workers of these jobs of a lane after the outermost transaction has committed."""
    _committed.add((lane, job_id) for job_id in job_ids)


def _notify(jobs: list[tuple[Lane, int]]) -> None:
    if not _dispatcher:
        return
    failpoint("queue.before_ring")
    try:
        for lane in Lane:
            if job_ids := [job_id for of, job_id in jobs if of is lane]:
                _dispatcher[0](job_ids, lane=lane)
    except Exception as error:  # noqa: BLE001 - the change is safe in PostgreSQL; a silent broker must not turn it into a failure
        log.warning("dispatch.failed", error=repr(error), jobs=len(jobs))


_committed: Final = AfterCommit[tuple[Lane, int]]("jobs", _notify)
