"""Reading photos of requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core import storage
from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.security.authz import Actor
from backend.domain.photos import access
from backend.domain.photos.access import Phase
from backend.domain.photos.errors import PhotoNotFound
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.errors import RequestNotFound

COLUMNS: Final = """
SELECT id, request_id, author_id, author_role, phase, professional_id, point, width, height, sha256, thumb_sha256,
       store_key, thumb_store_key, created_at
  FROM request_photos
"""
ONE: Final = text(f"{COLUMNS} WHERE id = :id AND removed_at IS NULL")
OF_REQUEST: Final = text(
    f"{COLUMNS} WHERE request_id = :request_id AND removed_at IS NULL AND phase <> 'message' ORDER BY id"
)


class Photo(NamedTuple):
    """A photo, in the order of the statement's columns."""

    id: int
    request_id: int
    author_id: int
    author_role: str
    phase: str
    professional_id: int | None
    point: int | None
    width: int
    height: int
    sha256: str
    thumb_sha256: str
    store_key: str
    thumb_store_key: str
    created_at: datetime


class PhotosOfRequest(NamedTuple):
    """The photos that the actor sees, in the order in which they were added, and the phases they may add to now."""

    photos: Sequence[Photo]
    phases: Sequence[Phase]


def of_request(actor: Actor, *, request_id: int) -> PhotosOfRequest:
    """Return the photos of a request that the actor sees, without those in messages. Raises RequestNotFound."""
    row, who = requests.one(actor, request_id=request_id)
    at = now()
    photos = [Photo._make(found) for found in read_pool.rows(OF_REQUEST, {"request_id": request_id})]
    seen = [
        photo
        for photo in photos
        if access.sees(who, row.request, phase=photo.phase, is_author=photo.author_id == actor.id, at=at)
    ]
    return PhotosOfRequest(seen, access.phases(who, row.request, at=at))


def find(photo_id: int) -> Photo:
    """Return a photo, without a check of who asks. Raises PhotoNotFound."""
    row = read_pool.one_or_none(ONE, {"id": photo_id})
    if row is None:
        raise PhotoNotFound
    return Photo._make(row)


def check_sees(actor: Actor, photo: Photo) -> None:
    """Raise PhotoNotFound unless the actor sees this photo, which is not one in a message."""
    try:
        row, who = requests.one(actor, request_id=photo.request_id)
    except RequestNotFound as error:
        raise PhotoNotFound from error
    is_author = photo.author_id == actor.id
    if not access.sees(who, row.request, phase=photo.phase, is_author=is_author, at=now()):
        raise PhotoNotFound


def content(photo: Photo, *, is_thumb: bool) -> bytes:
    """Return the bytes of one size. Raises Unavailable if the store does not respond, FileMissing without the file."""
    return storage.documents().get(photo.thumb_store_key if is_thumb else photo.store_key)
