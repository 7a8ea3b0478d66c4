"""Removes the bytes of documents that were replaced, and once a day those that no document needs."""

from typing import Final

import structlog

from backend.core.queue import Lease, runs
from backend.domain.documents import actions, orphans
from backend.jobs.exports import aside
from backend.jobs.registry import job

log = structlog.get_logger(__name__)
STOPPED: Final = (
    "{orphans} of {listed} old files belong to no document: too many to be right, so none was removed. "
    "Check that database and file store belong together."
)


@job(actions.DROP_TOPIC)
def drop(lease: Lease) -> None:
    """Remove one file."""
    actions.drop(lease.payload["store_key"])


@job("documents.sweep", long=True)
def sweep(lease: Lease) -> None:
    """Remove what no document needs; the run counts as sent how many files that were.

    Listing and deleting take their time with a store far away: no transaction is open meanwhile. A run that found too
    many files to be right fails, for an admin to see.
    """
    run_id = lease.payload["run_id"]
    aside(lambda: runs.begin(run_id))
    sweep = orphans.drop_orphans()
    runs.note(run_id, figures={"files_dropped": sweep.dropped})
    runs.add(run_id, sent=sweep.dropped)
    if sweep.was_stopped:
        runs.fail(run_id, STOPPED.format(orphans=sweep.orphans, listed=sweep.listed))
        return
    if sweep.dropped:
        log.warning("document_sweep.files_dropped", files=sweep.dropped, listed=sweep.listed)
    runs.close(run_id)
