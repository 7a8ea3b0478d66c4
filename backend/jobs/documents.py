"""Removes the bytes of documents that were replaced, and once a day those that no document needs."""

import structlog

from backend.core.queue import Lease, runs
from backend.domain.documents import actions, sweeping
from backend.jobs.registry import job

log = structlog.get_logger(__name__)


@job(actions.DROP_TOPIC)
def drop(lease: Lease) -> None:
    """Remove one file."""
    actions.drop(lease.payload["store_key"])


@job("documents.sweep", long=True)
def sweep(lease: Lease) -> None:
    """Remove what no document needs; the run counts as sent how many files that were."""
    run_id = lease.payload["run_id"]
    runs.begin(run_id)
    dropped = sweeping.drop_orphans()
    if dropped:
        log.warning("orphaned_files_dropped", files=dropped)
    runs.note(run_id, figures={"files_dropped": dropped})
    runs.add(run_id, sent=dropped)
    runs.close(run_id)
