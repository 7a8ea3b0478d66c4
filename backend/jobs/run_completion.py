"""Completes a run when all its messages are sent or have failed permanently."""

from typing import Final

from backend.core.clock import now
from backend.core.queue import Lease, RunPayload, Snooze, runs
from backend.domain.notifications import delivery
from backend.jobs.registry import job

OFTEN_SECONDS: Final = 2
SELDOM_SECONDS: Final = 60


@job(runs.COMPLETE)
def complete_run(payload: RunPayload, _: Lease) -> Snooze | None:
    """Count the run's messages. Those postponed by quiet hours do not delay it and are counted when they are due."""
    run_id = payload.run_id
    tally = delivery.tally(run_id)
    runs.count(run_id, sent=tally.sent, failed=tally.failed)
    if tally.waiting == 0:
        runs.close(run_id)
    if tally.waiting == 0 and tally.later == 0:
        return None
    pause = OFTEN_SECONDS
    if tally.waiting == 0 and tally.later_until is not None:
        pause = max(SELDOM_SECONDS, int((tally.later_until - now()).total_seconds()) + SELDOM_SECONDS)
    elif tally.age_seconds > 10 * SELDOM_SECONDS:
        pause = SELDOM_SECONDS
    return Snooze(f"{tally.waiting + tally.later} messages are still being sent", after_seconds=pause)
