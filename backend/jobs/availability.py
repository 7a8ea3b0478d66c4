"""Recounts availability nightly: compares it with the incremental counts and corrects differences."""

import structlog

from backend.core.queue import Lease, RunPayload, runs
from backend.domain.professionals import availability
from backend.jobs.registry import job
from backend.jobs.topics import AVAILABILITY_RECOUNT

log = structlog.get_logger(__name__)


@job(AVAILABILITY_RECOUNT, long=True)
def run(payload: RunPayload, _: Lease) -> None:
    """Recount availability; the run counts corrected rows as sent."""
    run_id = payload.run_id
    runs.begin(run_id)
    wrong = availability.rebuild()
    if wrong:
        log.warning("availability.corrected", rows=wrong)
    runs.note(run_id, figures={"rows_put_right": wrong})
    runs.add(run_id, sent=wrong)
    runs.close(run_id)
