"""Bytes that no document needs: stored for a call that then failed, or left by a drop that did not come through."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import or_, select

from backend.core import storage
from backend.core.clock import now
from backend.core.database import db
from backend.domain.documents.models import Document

# Longer than any call can take from the bytes to the commit of their row, and any drop that is on its way.
OLD_ENOUGH: Final = timedelta(days=1)
BATCH: Final = 500


def drop_orphans(at: datetime | None = None) -> int:
    """Remove files older than a day that are nobody's present document; returns how many."""
    before = (at or now()) - OLD_ENOUGH
    store = storage.documents()
    old = store.keys_from_before(before)
    dropped = 0
    while keys := list(islice(old, BATCH)):
        for key in set(keys) - _needed(keys, before):
            store.drop(key)
            dropped += 1
    return dropped


def _needed(keys: Sequence[str], before: datetime) -> set[str]:
    present = or_(Document.replaced_at.is_(None), Document.replaced_at >= before)
    return set(db.session.execute(select(Document.store_key).where(Document.store_key.in_(keys), present)).scalars())
