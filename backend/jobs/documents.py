"""Removes the bytes of documents that were replaced."""

from backend.core.queue import Lease
from backend.domain.documents import actions
from backend.jobs.registry import job


@job(actions.DROP_TOPIC)
def drop(lease: Lease) -> None:
    """Remove one file."""
    actions.drop(lease.payload["store_key"])
