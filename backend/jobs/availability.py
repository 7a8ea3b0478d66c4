"""Recounts availability nightly: compares it with the incremental counts and corrects differences."""

import structlog

from backend.core.queue import Lease, runs
from backend.domain.professionals import availability
from backend.jobs.registry import job

log = structlog.get_logger(__name__)


@job("recount.run", long=True)
def run(lease: Lease) -> None:
    """Recount availability; the run counts corrected rows as sent."""
    run_id = lease.payload["run_id"]
    runs.begin(run_id)
    wrong = availability.rebuild()
    if wrong:
        log.warning("availability.corrected", rows=wrong)
    runs.note(run_id, figures={"rows_put_right": wrong})
    runs.add(run_id, sent=wrong)
    runs.close(run_id)
