"""Read profile photos: the one that is shown, the owner's, and the queue of those to decide on."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, cast

from flask import Flask, current_app
from sqlalchemy import text

from backend.core import storage
from backend.core.clock import now
from backend.core.db import pagination, read_pool
from backend.core.db.pagination import Page, Window
from backend.core.db.session import db
from backend.core.errors import NotFound
from backend.core.lru_cache import LruCache
from backend.domain.profiles.queries import IS_ACTIVE
from backend.settings import Settings

SCOPE: Final = "profile_photos"
MEMORY_BYTES: Final = 16 << 20
COLUMNS: Final = """
    SELECT photo.id, photo.account_id AS professional_id, a.firstname, a.lastname, p.compname, photo.state,
           photo.reason, photo.created_at, photo.decided_at, photo.replaced_at, photo.sha256, photo.store_key,
           photo.small_store_key
      FROM profile_photos photo
      JOIN accounts a ON a.id = photo.account_id
      JOIN professionals p ON p.account_id = photo.account_id
"""
ONE: Final = text(f"{COLUMNS} WHERE photo.id = :id")
OF_ACCOUNT: Final = text(f"{COLUMNS} WHERE photo.account_id = :id AND photo.replaced_at IS NULL ORDER BY photo.id DESC")
SHOWN: Final = text(f"""
    {COLUMNS}
     WHERE photo.account_id = :id AND photo.replaced_at IS NULL AND photo.state = 'approved'
       AND photo.sha256 = :digest AND {IS_ACTIVE}
""")
QUEUE: Final = text(f"""
    {COLUMNS}
     WHERE photo.state = :state AND photo.replaced_at IS NULL
       AND (:first OR (photo.created_at, photo.id) > (:created_at, CAST(:last AS bigint)))
     ORDER BY photo.created_at, photo.id LIMIT :rows
""")


class PhotoState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class SubmittedPhoto(NamedTuple):
    """A photo with its owner's names, in the order of the statement's columns."""

    id: int
    professional_id: int
    firstname: str
    lastname: str
    compname: str
    state: str
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
    replaced_at: datetime | None
    sha256: str
    store_key: str
    small_store_key: str


def one(photo_id: int) -> SubmittedPhoto:
    """Return a photo, replaced ones included. Raises NotFound."""
    row = db.session.execute(ONE, {"id": photo_id}).one_or_none()
    if row is None:
        raise NotFound("Photo not found.")
    return SubmittedPhoto._make(row)


def of_account(account_id: int) -> list[SubmittedPhoto]:
    """Return the account's current photos, the latest first: at most one that is shown and one submitted since."""
    return [SubmittedPhoto._make(row) for row in read_pool.rows(OF_ACCOUNT, {"id": account_id})]


def latest_of_account(account_id: int) -> SubmittedPhoto:
    """Return the photo that the account submitted last and has not removed. Raises NotFound."""
    found = of_account(account_id)
    if not found:
        raise NotFound("Your profile has no photo.")
    return found[0]


def shown(professional_id: int, *, digest: str) -> SubmittedPhoto:
    """Return the photo of an active professional if it is shown and has this digest. Raises NotFound."""
    row = read_pool.one_or_none(SHOWN, {"id": professional_id, "digest": digest, "now": now()})
    if row is None:
        raise NotFound("Photo not found.")
    return SubmittedPhoto._make(row)


def page(*, state: str, window: Window) -> Page[SubmittedPhoto]:
    """Return a page of current photos in a state, the longest-waiting first."""
    start = pagination.decode_cursor(SCOPE, window.cursor, length=2) if window.cursor else (now(), 0)
    rows = read_pool.rows(
        QUEUE,
        {
            "state": state,
            "first": window.cursor is None,
            "created_at": start[0],
            "last": start[1],
            "rows": window.limit + 1,
        },
    )
    found = [SubmittedPhoto._make(row) for row in rows]
    return pagination.cut(found, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id))


def content(photo: SubmittedPhoto, *, small: bool) -> bytes:
    """Return the bytes of one size. Raises Unavailable if the store does not respond, FileMissing without the file."""
    return storage.documents().get(photo.small_store_key if small else photo.store_key)


def public_content(photo: SubmittedPhoto, *, small: bool) -> bytes:
    """Return the bytes as ``content`` does, kept in this process: search results show the same photos again."""
    kept = cast("LruCache[bytes]", current_app.extensions["profile_photos"])
    key = photo.small_store_key if small else photo.store_key
    data = kept.get(key)
    if data is None:
        data = content(photo, small=small)
        kept.put(key, data)
    return data


def init_app(app: Flask, _: Settings) -> None:
    """Make the memory of this process for photos that are shown."""
    app.extensions["profile_photos"] = LruCache[bytes](most_bytes=MEMORY_BYTES, size=len)
