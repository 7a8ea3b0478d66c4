"""Reminders of accepted visits, to customers and professionals."""

from backend.core.queue import Lease, RunPayload, runs
from backend.domain.visits import reminders
from backend.jobs.registry import job
from backend.jobs.topics import VISIT_REMINDERS


@job(VISIT_REMINDERS)
def run(payload: RunPayload, _: Lease) -> None:
    """Write the reminders that are due, and forget old ones, in one transaction."""
    run_id = payload.run_id
    runs.begin(run_id)
    sent = reminders.send()
    reminders.drop_old()
    runs.add(run_id, sent=sent)
    runs.close(run_id)
