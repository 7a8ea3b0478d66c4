"""Counts availability anew each night: it is kept right by every write, and this would show if one forgot to."""

import structlog

from backend.core.queue import Lease, runs
from backend.domain.professionals import recount
from backend.jobs.registry import job

log = structlog.get_logger(__name__)


@job("availability.recount")
def run(lease: Lease) -> None:
    """Put right what differs; the run tells how many rows did."""
    run_id = lease.payload["run_id"]
    runs.begin(run_id)
    wrong = recount.rebuild()
    if wrong:
        log.warning("availability_was_wrong", rows=wrong)
    runs.note(run_id, figures={"rows_put_right": wrong}, failed_parts=[])
    runs.add(run_id, sent=wrong)
    runs.close(run_id)
