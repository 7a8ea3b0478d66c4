"""Files of photos: written before the transaction, dropped some time after their photo was removed."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from backend.core import storage
from backend.core.clock import now
from backend.core.errors import DomainError
from backend.core.queue import StoredFilePayload, enqueue_many
from backend.domain.documents.actions import DROP_TOPIC, kept_after_replacement
from backend.domain.documents.inspection import InspectedPicture

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A photo whose files are stored but which has no row yet."""

    width: int
    height: int
    size: int
    sha256: str
    store_key: str
    thumb_size: int
    thumb_sha256: str
    thumb_store_key: str


def store(inspected: InspectedPicture) -> StoredPicture:
    """Write both files under new keys. Not inside a transaction, because the store may be slow."""
    folder = f"request-photos/{now():%Y/%m}"
    key, thumb_key = (f"{folder}/{uuid.uuid4().hex}.webp" for _ in range(2))
    for name, data in ((key, inspected.full), (thumb_key, inspected.thumb)):
        storage.documents().put(name, data)
    return StoredPicture(
        width=inspected.width,
        height=inspected.height,
        size=len(inspected.full),
        sha256=hashlib.sha256(inspected.full).hexdigest(),
        store_key=key,
        thumb_size=len(inspected.thumb),
        thumb_sha256=hashlib.sha256(inspected.thumb).hexdigest(),
        thumb_store_key=thumb_key,
    )


def discard(stored: StoredPicture) -> None:
    """Delete files without a row. If this fails, the orphan sweep deletes them later."""
    for key in (stored.store_key, stored.thumb_store_key):
        try:
            storage.documents().drop(key)
        except DomainError as error:
            log.warning("photo.discard_failed", store_key=key, error=repr(error))


def drop_later(keys: Iterable[str]) -> None:
    """Drop files of removed photos some days later: a backup made meanwhile may hold rows that name them."""
    jobs = [(key, StoredFilePayload(key)) for key in keys]
    enqueue_many(DROP_TOPIC, jobs, run_at=now() + kept_after_replacement())
