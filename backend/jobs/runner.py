"""Runs jobs: claims leases, executes each job in one transaction that marks it as done, or reschedules it."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from flask import current_app

from backend.core import queue
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.errors import PermanentFailure, RetryLater
from backend.core.failpoints import failpoint
from backend.core.observability import metrics, trace_context, tracing
from backend.core.queue import Lane, Lease, runs
from backend.jobs import dispatch, lanes
from backend.jobs.lease_heartbeat import HEARTBEAT
from backend.jobs.registry import HANDLERS

log = structlog.get_logger(__name__)
BATCH: Final = 20
BATCH_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.5
UNKNOWN_KEPT: Final = timedelta(days=1)  # longer than an upgrade of all machines takes
UNKNOWN_RETRY_SECONDS: Final = 10


def run(job_id: int) -> str:
    """Run one job if it is free. Returns the outcome: ``done``, ``busy``, ``retry``, ``dead`` or ``lost``."""
    return run_many([job_id]).get(job_id, "busy")


def run_many(job_ids: Sequence[int]) -> dict[int, str]:
    """Run those of the jobs that are free, and release those not started within BATCH_SECONDS."""
    with transaction():
        leases = queue.claim_many(job_ids, lease_seconds=current_settings().job_lease_seconds)
    return _run_all(leases)


def run_next(lane: Lane) -> dict[int, str]:
    """Run a batch of the longest-waiting jobs of a lane."""
    with transaction():
        limit = 1 if lane is Lane.EXPORTS else BATCH
        leases = queue.claim_next(lane, limit=limit, lease_seconds=current_settings().job_lease_seconds)
    if lane is Lane.BULK and len(leases) == BATCH:
        _notify(leases, lane=lane)  # there may be more, so other processes can help
    return _run_all(leases)


def run_bulk() -> dict[int, str]:
    """Run some bulk jobs if a slot is free, and notify workers if more are left.

    Without a free slot the message is dropped, because processes with a slot look for more jobs afterwards.
    """
    with lanes.slot(Lane.BULK) as taken:
        if not taken:
            return {}
        outcomes = run_next(Lane.BULK)
    with transaction():
        is_more = queue.is_waiting(Lane.BULK)
    if is_more:
        # The broker hands out messages about bulk jobs first: a process that gets no other ones would write no export.
        outcomes = {**outcomes, **_run_export()}
    _notify_waiting(Lane.BULK)
    return outcomes


def run_exports() -> dict[int, str]:
    """Write the next parts of an export if a slot is free, and notify workers of what is left."""
    outcomes = _run_export()
    if outcomes:
        _notify_waiting(Lane.EXPORTS)
    return outcomes


def _run_export() -> dict[int, str]:
    with lanes.slot(Lane.EXPORTS) as taken:
        return run_next(Lane.EXPORTS) if taken else {}


def _notify_waiting(mine: Lane) -> None:
    """Notify workers of what is left in the lane that had the slot, and in the other one.

    The other lane's message may have been dropped while there was no slot. It gets a new one only if it has none, so
    that messages do not become more and more.
    """
    with transaction():
        waiting = queue.waiting_lanes()
    for lane in (Lane.BULK, Lane.EXPORTS):
        if lane in waiting and (lane is mine or not dispatch.messages_waiting(lane)):
            _notify([], lane=lane)
    db.session.remove()


def _run_all(leases: list[Lease]) -> dict[int, str]:
    outcomes: dict[int, str] = {}
    failpoint("job.claimed")
    if not leases:
        return outcomes
    waiting = sorted(leases, key=_is_long)
    batch = _Batch()
    with HEARTBEAT.renewing(leases):
        try:
            while waiting and batch.goes_on(waiting[0]):
                lease = waiting.pop(0)
                if _is_long(lease):
                    _give_back(waiting)  # no job may wait behind a long one in this process
                    waiting = []
                outcomes[lease.job_id] = _run_one(lease)
        finally:
            _give_back(waiting)
    db.session.remove()
    return outcomes


class _Batch:
    """Decides whether a process continues with its claimed jobs or releases the rest."""

    def __init__(self) -> None:
        self._began = self._polled_at = time.monotonic()
        self._is_first = True

    def goes_on(self, lease: Lease) -> bool:
        """Return whether to run this job. The first always runs; bulk jobs stop when an urgent one has no process."""
        is_first, self._is_first = self._is_first, False
        at = time.monotonic()
        if is_first:
            return True
        if at - self._began >= BATCH_SECONDS:
            return False
        if lease.lane != Lane.BULK or at - self._polled_at < POLL_SECONDS:
            return True
        self._polled_at = at
        with transaction():
            return not queue.is_waiting(Lane.URGENT, for_seconds=POLL_SECONDS)


def _is_long(lease: Lease) -> bool:
    return lease.topic in HANDLERS and HANDLERS[lease.topic].long


def _run_one(lease: Lease) -> str:
    started = time.monotonic()
    with tracing.job(lease.topic, lease.traceparent) as span:
        outcome = _execute(lease, traceparent=span.traceparent)
        span.ended(outcome)
    metrics.job_done(topic=lease.topic, outcome=outcome, seconds=time.monotonic() - started)
    return outcome


def _execute(lease: Lease, *, traceparent: str | None) -> str:
    bound = structlog.contextvars.bound_contextvars(job_id=lease.job_id, topic=lease.topic, request_id=lease.trace_id)
    with trace_context.resumed(traceparent), bound:
        try:
            with transaction():
                outcome = _handle(lease)
            if outcome == "done":
                failpoint("job.after_commit")
            return outcome
        except queue.LeaseLost:
            log.warning("job.lease_lost")
            return "lost"
        except (PermanentFailure, RetryLater) as error:
            return _put_back(lease, error)
        except Exception as error:
            log.exception("job.failed")
            return _put_back(lease, RetryLater(repr(error)))
        finally:
            db.session.remove()


def _handle(lease: Lease) -> str:
    registered = HANDLERS.get(lease.topic)
    if registered is None:
        raise _unknown(lease)
    if lease.attempts > current_settings().job_max_attempts:
        raise PermanentFailure("the worker died on every attempt")
    snooze = registered.handle(lease)
    if snooze is not None:
        queue.snooze(lease, snooze.reason, after_seconds=snooze.after_seconds, is_progress=snooze.is_progress)
        return "retry"
    (queue.finish_guarded if registered.guarded else queue.finish)(lease)
    failpoint("job.before_commit")
    return "done"


def _unknown(lease: Lease) -> PermanentFailure | RetryLater:
    """Return what to do with a topic that this version does not know: during an upgrade, another worker knows it."""
    reason = f"no handler is registered for topic {lease.topic}"
    if queue.is_older_than(lease, UNKNOWN_KEPT):
        return PermanentFailure(reason)
    return RetryLater(reason, after_seconds=UNKNOWN_RETRY_SECONDS, counts_as_attempt=False)


def _put_back(lease: Lease, error: PermanentFailure | RetryLater) -> str:
    """Reschedule or dead-letter a job after its transaction was rolled back."""
    reason = str(error)
    try:
        with transaction():
            if isinstance(error, PermanentFailure):
                queue.dead_letter(lease, reason)
                is_dead = True
            elif error.counts_as_attempt:
                is_dead = queue.fail(lease, reason, after_seconds=error.after_seconds)
            else:
                queue.snooze(lease, reason, after_seconds=error.after_seconds)
                return "retry"
            if is_dead and lease.run_id is not None:
                runs.fail(lease.run_id, reason)
    except queue.LeaseLost:
        return "lost"
    if is_dead:
        log.error("job.dead_lettered", error=reason, attempts=lease.attempts)
        return "dead"
    log.warning("job.rescheduled", error=reason, attempts=lease.attempts)
    return "retry"


def _give_back(leases: Sequence[Lease]) -> None:
    if leases:
        with transaction():
            queue.release(leases)
        for lane in Lane:
            if those := [lease for lease in leases if lease.lane == lane]:
                _notify(those, lane=lane)


def _notify(leases: Sequence[Lease], *, lane: Lane) -> None:
    current_app.extensions["job_dispatcher"]([lease.job_id for lease in leases], lane=lane)
