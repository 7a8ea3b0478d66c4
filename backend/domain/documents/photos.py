"""Files of profile photos: written before the transaction, dropped some time after their row was replaced."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, update

from backend.core import storage
from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import DomainError
from backend.core.queue import StoredFilePayload, enqueue
from backend.domain.documents.actions import DROP_TOPIC, kept_after_replacement
from backend.domain.documents.inspection import InspectedPhoto
from backend.domain.documents.models import ProfilePhoto

log = structlog.get_logger(__name__)
CONTENT_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo whose files are stored but which has no row yet."""

    store_key: str
    sha256: str
    size: int
    small_store_key: str
    small_sha256: str
    small_size: int


def store(inspected: InspectedPhoto) -> StoredPhoto:
    """Write both files under new keys. Not inside a transaction, because the store may be slow."""
    folder = f"photos/{now():%Y/%m}"
    large_key, small_key = (f"{folder}/{uuid.uuid4().hex}.jpg" for _ in range(2))
    for key, data in ((large_key, inspected.large), (small_key, inspected.small)):
        storage.documents().put(key, data)
    return StoredPhoto(
        store_key=large_key,
        sha256=hashlib.sha256(inspected.large).hexdigest(),
        size=len(inspected.large),
        small_store_key=small_key,
        small_sha256=hashlib.sha256(inspected.small).hexdigest(),
        small_size=len(inspected.small),
    )


def discard(stored: StoredPhoto) -> None:
    """Delete files without a row. If this fails, the orphan sweep deletes them later."""
    for key in (stored.store_key, stored.small_store_key):
        try:
            storage.documents().drop(key)
        except DomainError as error:
            log.warning("photo.discard_failed", store_key=key, error=repr(error))


def keep(account_id: int, stored: StoredPhoto) -> ProfilePhoto:
    """Add the row of a stored photo, in place of one that was submitted before and is not shown."""
    replace(account_id, ProfilePhoto.state != "approved")
    photo = ProfilePhoto(
        account_id=account_id,
        state="pending",
        size=stored.size,
        sha256=stored.sha256,
        store_key=stored.store_key,
        small_size=stored.small_size,
        small_sha256=stored.small_sha256,
        small_store_key=stored.small_store_key,
        created_at=now(),
    )
    db.session.add(photo)
    db.session.flush()
    return photo


def replace(account_id: int, *which: ColumnElement[bool]) -> list[int]:
    """Mark the account's current photos as replaced and return their ids; their files are dropped some days later.

    A backup made meanwhile may hold rows that name the files.
    """
    at = now()
    rows = db.session.execute(
        update(ProfilePhoto)
        .where(ProfilePhoto.account_id == account_id, ProfilePhoto.replaced_at.is_(None), *which)
        .values(replaced_at=at)
        .returning(ProfilePhoto.id, ProfilePhoto.store_key, ProfilePhoto.small_store_key)
        .execution_options(synchronize_session=False)
    ).all()
    _drop_later(key for row in rows for key in (row.store_key, row.small_store_key))
    return [row.id for row in rows]


def _drop_later(keys: Iterable[str]) -> None:
    for key in keys:
        enqueue(DROP_TOPIC, StoredFilePayload(key), key=key, run_at=now() + kept_after_replacement())
