"""Deletes files of replaced documents and, once a day, files that no document refers to."""

from typing import Final

import structlog

from backend.core.queue import Lease, RunPayload, StoredFilePayload, runs
from backend.domain.documents import actions, orphans
from backend.jobs.exports import aside
from backend.jobs.registry import job
from backend.jobs.topics import DOCUMENT_SWEEP

log = structlog.get_logger(__name__)
STOPPED: Final = (
    "{orphans} of {listed} old files do not belong to any document. This is unexpectedly many, so none "
    "were removed. Check that the database and the file storage belong together."
)


@job(actions.DROP_TOPIC)
def drop(payload: StoredFilePayload, _: Lease) -> None:
    """Delete one file."""
    actions.drop(payload.store_key)


@job(DOCUMENT_SWEEP, long=True)
def sweep(payload: RunPayload, _: Lease) -> None:
    """Delete orphaned files; the run counts them as sent.

    No transaction is open meanwhile, because listing and deleting in a remote store take long. The run fails, for an
    admin to see, if implausibly many files are orphaned.
    """
    run_id = payload.run_id
    aside(lambda: runs.begin(run_id))
    result = orphans.drop_orphans()
    runs.note(run_id, figures={"files_dropped": result.dropped})
    runs.add(run_id, sent=result.dropped)
    if result.was_stopped:
        runs.fail(run_id, STOPPED.format(orphans=result.orphans, listed=result.listed))
        return
    if result.dropped:
        log.warning("document_sweep.files_dropped", files=result.dropped, listed=result.listed)
    runs.close(run_id)
