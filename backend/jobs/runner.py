"""Runs one job: take the lease, do the work and mark it done in one transaction, or put it back."""

import structlog

from backend.core import queue
from backend.core.config import current
from backend.core.database import db, transaction
from backend.jobs.registry import HANDLERS, GiveUp, Retry

log = structlog.get_logger(__name__)


def run(job_id: int) -> str:
    """Do the job if nobody else has it. Returns what came of it: done, busy, retry, parked or lost."""
    with transaction():
        lease = queue.claim(job_id, lease_seconds=current().job_lease_seconds)
    if lease is None:
        return "busy"
    structlog.contextvars.bind_contextvars(job_id=job_id, topic=lease.topic, request_id=lease.trace_id)
    try:
        with transaction():
            handler = HANDLERS.get(lease.topic)
            if handler is None:
                raise GiveUp(f"nobody knows the topic {lease.topic}")
            handler(lease)
            queue.finish(lease)
        return "done"
    except queue.LeaseLost:
        log.warning("job_lease_lost")
        return "lost"
    except GiveUp as error:
        return _put_back(lease, str(error), give_up=True)
    except Retry as error:
        return _put_back(lease, str(error), retry_seconds=error.after_seconds)
    except Exception as error:
        log.exception("job_failed")
        return _put_back(lease, repr(error))
    finally:
        db.session.remove()
        structlog.contextvars.unbind_contextvars("job_id", "topic", "request_id")


def _put_back(lease: queue.Lease, error: str, *, retry_seconds: int | None = None, give_up: bool = False) -> str:
    try:
        with transaction():
            parked = queue.fail(lease, error, retry_seconds=retry_seconds, give_up=give_up)
    except queue.LeaseLost:
        return "lost"
    log.warning("job_parked" if parked else "job_put_back", error=error, attempts=lease.attempts)
    return "parked" if parked else "retry"
