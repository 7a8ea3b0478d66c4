"""Actions on photos: add one to a request or a message, delete one, and remove those that are old enough."""

from dataclasses import asdict
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Forbidden, Invalid
from backend.core.security.authz import Actor
from backend.domain.live_updates import changes as live_changes
from backend.domain.photos import access, files, queries
from backend.domain.photos.access import MESSAGE, Phase
from backend.domain.photos.errors import PhotoNotFound, TooManyPhotos
from backend.domain.photos.files import StoredPicture
from backend.domain.photos.queries import Photo
from backend.domain.task_requests import history
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.access import relation
from backend.domain.task_requests.lifecycle import Record
from backend.domain.task_requests.rows import Request
from backend.domain.task_requests.transitions import lock

MOST: Final = 12  # of one author in one phase; the database has the same
MOST_IN_MESSAGES: Final = 48
# A concurrent upload that took the slot first makes this add nothing; the next try then sees its row.
ADD: Final = text("""
INSERT INTO request_photos (request_id, author_id, author_role, phase, slot, message_id, professional_id, point, width,
                            height, size, sha256, store_key, thumb_size, thumb_sha256, thumb_store_key, created_at)
SELECT :request_id, :author_id, :author_role, :phase, free.slot, :message_id, :professional_id, :point, :width,
       :height, :size, :sha256, :store_key, :thumb_size, :thumb_sha256, :thumb_store_key, :created_at
  FROM (SELECT slot FROM generate_series(1, :most) AS slot
         WHERE NOT EXISTS (SELECT FROM request_photos taken
                            WHERE taken.request_id = :request_id AND taken.phase = :phase
                              AND taken.author_id = :author_id AND taken.slot = slot.slot
                              AND taken.removed_at IS NULL)
         ORDER BY slot LIMIT 1) free
ON CONFLICT DO NOTHING
RETURNING id, request_id, author_id, author_role, phase, professional_id, point, width, height, sha256,
          thumb_sha256, store_key, thumb_store_key, created_at
""")
REMOVE: Final = text("""
UPDATE request_photos SET removed_at = :at WHERE id = :id AND removed_at IS NULL RETURNING id
""")
HAS_POINT: Final = text("""
SELECT EXISTS (SELECT FROM request_checklist_points WHERE request_id = :request_id AND number = :number)
""")
# Touches the point in any case: a tick at the same time waits for the lock, and then finds no photo.
UNTICK: Final = text("""
UPDATE request_checklist_points c SET done_at = NULL, done_by = NULL, received_at = NULL
 WHERE c.request_id = :request_id AND c.number = :number AND c.needs_photo
   AND NOT EXISTS (SELECT FROM request_photos p
                    WHERE p.request_id = c.request_id AND p.point = c.number AND p.removed_at IS NULL)
""")
COUNT: Final = text("""
SELECT count(*) FROM request_photos
 WHERE request_id = :request_id AND phase = :phase AND author_id = :author_id AND removed_at IS NULL
""")
# A photo is looked at when it is old enough itself, and again when its request's end is. An end that is not there yet
# will not be before now.
REMOVE_OLD: Final = text("""
  WITH old AS (
       SELECT p.id, coalesce(r.closed_at, r.cancelled_at, r.expired_at, r.completed_at, :at) AS ended
         FROM request_photos p JOIN task_requests r ON r.id = p.request_id
        WHERE p.removed_at IS NULL AND coalesce(p.ended_after, p.created_at) < :before
        ORDER BY coalesce(p.ended_after, p.created_at), p.id LIMIT :limit FOR UPDATE OF p SKIP LOCKED
     ), later AS (
       UPDATE request_photos p SET ended_after = old.ended FROM old WHERE p.id = old.id AND old.ended >= :before
     ), removed AS (
       UPDATE request_photos p SET removed_at = :at FROM old WHERE p.id = old.id AND old.ended < :before
       RETURNING p.store_key, p.thumb_store_key
     )
SELECT (SELECT count(*) FROM old), ARRAY(SELECT store_key FROM removed), ARRAY(SELECT thumb_store_key FROM removed)
""")


def check(actor: Actor, *, request_id: int, phase: Phase, point: int | None = None) -> None:
    """Refuse early what `add` would refuse: before the file is inspected.

    Raises:
        RequestNotFound, Forbidden, PhotoNotPossible: See `add`.
    """
    row, who = requests.one(actor, request_id=request_id)
    access.check_adds(who, row.request, phase)
    _check_point(request_id, phase, point)


def add(actor: Actor, *, request_id: int, phase: Phase, stored: StoredPicture, point: int | None = None) -> Photo:
    """Add a photo of a phase to a request, and its digest to the history. ``point``: the point that it shows.

    Raises:
        RequestNotFound: The actor may not see the request.
        Forbidden: Only the other side adds photos of this phase.
        PhotoNotPossible: The state of the request does not allow it.
        TooManyPhotos: There are twelve already.
        Invalid: The checklist has no such point, or the phase is the problem.
    """
    request = lock(actor, request_id=request_id)
    access.check_adds(relation(actor, request, at=now()), request, phase)
    _check_point(request_id, phase, point)
    photo = _insert(actor, request_id=request_id, phase=phase, stored=stored, most=MOST, point=point)
    _record(actor, request, Record.ADD_PHOTO, photo)
    return photo


def add_to_message(
    actor: Actor, *, request_id: int, professional_id: int, message_id: int, stored: StoredPicture
) -> Photo:
    """Add a photo to a message that was written in this transaction. Raises TooManyPhotos."""
    return _insert(
        actor,
        request_id=request_id,
        phase=MESSAGE,
        stored=stored,
        most=MOST_IN_MESSAGES,
        message_id=message_id,
        professional_id=professional_id,
    )


def delete(actor: Actor, *, photo_id: int) -> None:
    """Delete a photo that the actor added, for as long as photos of its phase can be added. Its digest stays.

    Raises:
        PhotoNotFound: The actor may not see it.
        Forbidden, PhotoNotPossible: Someone else added it, or it is part of the record of the visit by now.
    """
    photo = queries.find(photo_id)
    if photo.phase == MESSAGE:
        raise PhotoNotFound
    queries.check_sees(actor, photo)
    request = lock(actor, request_id=photo.request_id)
    who = relation(actor, request, at=now())
    if photo.author_id != actor.id:
        raise Forbidden("You can delete only photos that you added.", code="role_not_allowed")
    access.check_adds(who, request, Phase(photo.phase))
    removed = db.session.execute(REMOVE, {"id": photo_id, "at": now()}).one_or_none()
    if removed is None:
        raise PhotoNotFound
    files.drop_later([photo.store_key, photo.thumb_store_key])
    if photo.point is not None:
        db.session.execute(UNTICK, {"request_id": request.id, "number": photo.point})
    _record(actor, request, Record.DELETE_PHOTO, photo)


def remove_old(limit: int = 500) -> tuple[int, int]:
    """Look at up to ``limit`` photos and remove those of requests that ended long enough ago.

    The history keeps their digests. Return how many were looked at, and how many of them were removed.
    """
    at = now()
    before = at - timedelta(days=current_settings().photo_keep_days)
    asked = {"at": at, "before": before, "limit": limit}
    looked_at, full, thumbs = db.session.execute(REMOVE_OLD, asked).one()
    files.drop_later([*full, *thumbs])
    return looked_at, len(full)


def _insert(
    actor: Actor,
    *,
    request_id: int,
    phase: str,
    stored: StoredPicture,
    most: int,
    message_id: int | None = None,
    professional_id: int | None = None,
    point: int | None = None,
) -> Photo:
    whose = {"request_id": request_id, "phase": phase, "author_id": actor.id}
    values: dict[str, object] = {
        **whose,
        **asdict(stored),
        "author_role": actor.role.value,
        "message_id": message_id,
        "professional_id": professional_id,
        "point": point,
        "most": most,
        "created_at": now(),
    }
    for _ in range(most + 1):
        row = db.session.execute(ADD, values).one_or_none()
        if row is not None:
            return Photo._make(row)
        if db.session.execute(COUNT, whose).scalar_one() >= most:
            break
    raise TooManyPhotos(most, in_messages=phase == MESSAGE)


def _check_point(request_id: int, phase: Phase, point: int | None) -> None:
    """Raise Invalid for a point that the request's checklist does not have, or for a photo of the problem."""
    if point is None:
        return
    if phase is Phase.PROBLEM:
        raise Invalid.field("point", "Photos of the problem cannot name a point of the checklist.")
    if not db.session.execute(HAS_POINT, {"request_id": request_id, "number": point}).scalar_one():
        raise Invalid.field("point", "The checklist of this request has no such point.")


def _record(actor: Actor, request: Request, action: Record, photo: Photo) -> None:
    """Add the digest to the history, and announce the change to both sides."""
    facts: dict[str, object] = {"photo_id": photo.id, "phase": photo.phase, "sha256": photo.sha256}
    history.write(actor, [history.Entry(request.id, action, request.status, request.status, changes=facts)])
    live_changes.announce_history(request.id, accounts=[request.customer_id, request.professional_id])
