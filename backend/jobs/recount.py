"""Counts anew who is offered where: the writes keep it right, this proves it, and puts right what differs."""

from backend.core.queue import Lease, runs
from backend.domain.professionals import recount
from backend.jobs.registry import job


@job("recount.run")
def run(lease: Lease) -> None:
    """The run counts as sent how many rows were wrong."""
    run_id = lease.payload["run_id"]
    runs.begin(run_id)
    wrong = recount.rebuild()
    runs.note(run_id, figures={"rows_put_right": wrong})
    runs.add(run_id, sent=wrong)
    runs.close(run_id)
