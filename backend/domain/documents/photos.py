"""Files of profile photos: written before the transaction, dropped some time after their row was replaced."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.queue import StoredFilePayload, enqueue
from backend.domain.documents import files
from backend.domain.documents.actions import DROP_TOPIC, kept_after_replacement
from backend.domain.documents.inspection import InspectedPhoto
from backend.domain.documents.models import ProfilePhoto

CONTENT_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo whose files are stored but which has no row yet."""

    size: int
    sha256: str
    store_key: str
    small_size: int
    small_sha256: str
    small_store_key: str


def store(inspected: InspectedPhoto) -> StoredPhoto:
    """Write both files under new keys. Not inside a transaction, because the store may be slow."""
    large, small = (files.store(data, extension="jpg", folder="photos/") for data in (inspected.large, inspected.small))
    return StoredPhoto(*large, *small)


def discard(stored: StoredPhoto) -> None:
    """Delete both files, which have no row."""
    files.discard(stored.store_key, stored.small_store_key)


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
