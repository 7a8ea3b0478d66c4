"""Runs jobs: take the leases, do the work and mark it done in one transaction each, or put it back."""

import time
from collections.abc import Sequence
from typing import Final

import structlog
from flask import current_app

from backend.core import metrics, queue
from backend.core.config import current
from backend.core.crash import crash_point
from backend.core.database import db, transaction
from backend.core.queue import Lease, runs
from backend.jobs.keeper import KEEPER
from backend.jobs.registry import HANDLERS, GiveUp, Retry

log = structlog.get_logger(__name__)
BATCH_SECONDS: Final = 10.0


def run(job_id: int) -> str:
    """Do one job if nobody else has it. Returns what came of it: done, busy, retry, parked or lost."""
    return run_many([job_id]).get(job_id, "busy")


def run_many(job_ids: Sequence[int]) -> dict[int, str]:
    """Do those of the jobs that nobody else has; what is not begun within BATCH_SECONDS is given back to others."""
    with transaction():
        leases = queue.claim_many(job_ids, lease_seconds=current().job_lease_seconds)
    crash_point("job.claimed")
    outcomes: dict[int, str] = {}
    if not leases:
        return outcomes
    begun = time.monotonic()
    with KEEPER.keeping(leases):
        waiting = _run_together(leases, outcomes)
        try:
            while waiting and (not outcomes or time.monotonic() - begun < BATCH_SECONDS):
                lease = waiting.pop(0)
                outcomes[lease.job_id] = _run_one(lease)
        finally:
            _give_back(waiting)
    db.session.remove()
    return outcomes


def _run_together(leases: Sequence[Lease], outcomes: dict[int, str]) -> list[Lease]:
    """Jobs with effects in the database only share one commit; returns the others. If one fails, each runs alone."""
    shared = [lease for lease in leases if lease.topic in HANDLERS and HANDLERS[lease.topic].together]
    if len(shared) < 2:
        return list(leases)
    try:
        with transaction():
            for lease in shared:
                HANDLERS[lease.topic].handle(lease)
            queue.finish_many(shared)
    except Exception as error:  # noqa: BLE001 - whichever failed is found, and dealt with, when each runs alone
        log.info("jobs_run_alone", error=repr(error), jobs=len(shared))
        return list(leases)
    for lease in shared:
        outcomes[lease.job_id] = "done"
        metrics.job_done(topic=lease.topic, outcome="done", seconds=0.0)
    return [lease for lease in leases if lease.job_id not in outcomes]


def _run_one(lease: Lease) -> str:
    begun = time.monotonic()
    outcome = _carry_out(lease)
    metrics.job_done(topic=lease.topic, outcome=outcome, seconds=time.monotonic() - begun)
    return outcome


def _carry_out(lease: Lease) -> str:
    with structlog.contextvars.bound_contextvars(job_id=lease.job_id, topic=lease.topic, request_id=lease.trace_id):
        try:
            with transaction():
                registered = HANDLERS.get(lease.topic)
                if registered is None:
                    raise GiveUp(f"nobody knows the topic {lease.topic}")
                if lease.attempts > current().job_max_attempts:
                    raise GiveUp("its worker died each time that it was begun")
                registered.handle(lease)
                queue.finish(lease)
                crash_point("job.before_commit")
            crash_point("job.after_commit")
            return "done"
        except queue.LeaseLost:
            log.warning("job_lease_lost")
            return "lost"
        except GiveUp as error:
            return _put_back(lease, Retry(str(error)), give_up=True)
        except Retry as error:
            return _put_back(lease, error)
        except Exception as error:
            log.exception("job_failed")
            return _put_back(lease, Retry(repr(error)))
        finally:
            db.session.remove()


def _put_back(lease: Lease, reason: Retry, *, give_up: bool = False) -> str:
    try:
        with transaction():
            if reason.record:
                reason.record()
            parked = queue.fail(
                lease, str(reason), retry_seconds=reason.after_seconds, give_up=give_up, counts=reason.counts
            )
            if parked and "run_id" in lease.payload:
                runs.fail(lease.payload["run_id"], str(reason))
    except queue.LeaseLost:
        return "lost"
    if parked:
        log.error("job_parked", error=str(reason), attempts=lease.attempts)
    elif reason.counts:
        log.warning("job_put_back", error=str(reason), attempts=lease.attempts)
    return "parked" if parked else "retry"


def _give_back(leases: Sequence[Lease]) -> None:
    if leases:
        with transaction():
            queue.release(leases)
        current_app.extensions["job_bell"]([lease.job_id for lease in leases])
