"""Files of photos: written before the transaction, dropped some time after their photo was removed."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.core.clock import now
from backend.core.queue import StoredFilePayload, enqueue_many
from backend.domain.documents import files
from backend.domain.documents.actions import DROP_TOPIC, kept_after_replacement
from backend.domain.documents.inspection import InspectedPicture


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
    full, thumb = (
        files.store(data, extension="webp", folder="request-photos/") for data in (inspected.full, inspected.thumb)
    )
    return StoredPicture(inspected.width, inspected.height, *full, *thumb)


def discard(stored: StoredPicture) -> None:
    """Delete both files, which have no row."""
    files.discard(stored.store_key, stored.thumb_store_key)


def drop_later(keys: Iterable[str]) -> None:
    """Drop files of removed photos some days later: a backup made meanwhile may hold rows that name them."""
    jobs = [(key, StoredFilePayload(key)) for key in keys]
    enqueue_many(DROP_TOPIC, jobs, run_at=now() + kept_after_replacement())
