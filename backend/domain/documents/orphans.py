"""Orphaned files: stored for a call that then failed, or left by a failed deletion."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

import structlog
from sqlalchemy import text

from backend.core import storage
from backend.core.clock import now
from backend.core.db import read_pool
from backend.domain.documents import actions

log = structlog.get_logger(__name__)
BATCH: Final = 500
MOST_SHARE: Final = 0.05
FLOOR: Final = 20
NAMED: Final = 10
NEEDED: Final = text("""
    SELECT store_key FROM documents
     WHERE store_key = ANY(:keys) AND (replaced_at IS NULL OR replaced_at >= :before)
    UNION ALL
    SELECT store_key FROM profile_photos
     WHERE store_key = ANY(:keys) AND (replaced_at IS NULL OR replaced_at >= :before)
    UNION ALL
    SELECT small_store_key FROM profile_photos
     WHERE small_store_key = ANY(:keys) AND (replaced_at IS NULL OR replaced_at >= :before)
    UNION ALL
    SELECT store_key FROM request_photos
     WHERE store_key = ANY(:keys) AND (removed_at IS NULL OR removed_at >= :before)
    UNION ALL
    SELECT thumb_store_key FROM request_photos
     WHERE thumb_store_key = ANY(:keys) AND (removed_at IS NULL OR removed_at >= :before)
""")


class Sweep(NamedTuple):
    """The result of a sweep: old files, orphans among them, and how many were deleted."""

    listed: int
    orphans: int
    dropped: int

    @property
    def was_stopped(self) -> bool:
        """Return whether nothing was deleted because implausibly many files were orphaned."""
        return self.orphans > self.dropped


def drop_orphans(at: datetime | None = None) -> Sweep:
    """Remove files that are old enough and nobody's current document or photo; not within a transaction.

    Old enough is what a replaced document is kept for, which is longer than any call takes from the bytes to the
    commit of their row. Files without a generated name are never touched. More
    than a few orphans are a sign of a database or a store that is not the right one: then nothing is removed.
    """
    before = (at or now()) - actions.kept_after_replacement()
    store = storage.documents()
    listed, orphans = 0, []
    for keys in _batches(key for key in store.keys_from_before(before) if actions.KEY.fullmatch(key)):
        listed += len(keys)
        needed = _needed(keys, before)
        orphans += [key for key in keys if key not in needed]
    if len(orphans) > max(FLOOR, listed * MOST_SHARE):
        log.error("document_sweep.stopped", listed=listed, orphans=len(orphans), some=orphans[:NAMED])
        return Sweep(listed, len(orphans), 0)
    for key in orphans:
        store.drop(key)
    return Sweep(listed, len(orphans), len(orphans))


def _batches(keys: Iterator[str]) -> Iterator[Sequence[str]]:
    while batch := list(islice(keys, BATCH)):
        yield batch


def _needed(keys: Sequence[str], before: datetime) -> set[str]:
    return {key for (key,) in read_pool.rows(NEEDED, {"keys": list(keys), "before": before})}
