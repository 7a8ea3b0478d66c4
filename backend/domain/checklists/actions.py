"""Actions on checklists: an admin replaces that of a task, the professional ticks the points of a request."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Forbidden
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.checklists import queries
from backend.domain.checklists.errors import ChecklistClosed, PointNotFound, PointPhotoMissing
from backend.domain.live_updates import changes as live_changes
from backend.domain.task_requests.access import relation
from backend.domain.task_requests.lifecycle import Relation, Status
from backend.domain.task_requests.reported_times import time_of_step
from backend.domain.task_requests.transitions import lock

REPLACE: Final = text("""
INSERT INTO task_checklists (task_id, points, required) VALUES (:task_id, CAST(:points AS jsonb), :required)
    ON CONFLICT (task_id) DO UPDATE SET points = excluded.points, required = excluded.required
""")
REMOVE: Final = text("DELETE FROM task_checklists WHERE task_id = :task_id")
LOCK: Final = text("""
SELECT needs_photo, done_at FROM request_checklist_points
 WHERE request_id = :request_id AND number = :number FOR UPDATE
""")
# A statement after the lock: a photo that is deleted at the same time either waits, and then unticks the point, or is
# seen as deleted here.
HAS_PHOTO: Final = text("""
SELECT EXISTS (SELECT FROM request_photos
                WHERE request_id = :request_id AND point = :number AND author_id = :author_id AND removed_at IS NULL)
""")
TICK: Final = text("""
UPDATE request_checklist_points SET done_at = :done_at, done_by = :done_by, received_at = :received_at
 WHERE request_id = :request_id AND number = :number
""")


class Point(NamedTuple):
    """A point of a task's checklist. ``photo``: it can be ticked only with a photo."""

    text: str
    photo: bool


def change(actor: Actor, *, task_id: int, points: Sequence[Point], required: bool) -> None:
    """Replace the checklist of a task; without points there is none. Accepted requests keep theirs."""
    before = queries.of_task(actor, task_id=task_id)
    after = queries.TaskChecklist([point._asdict() for point in points], required and bool(points))
    if points:
        values = {"task_id": task_id, "points": json.dumps(after.points), "required": after.required}
        db.session.execute(REPLACE, values)
    else:
        db.session.execute(REMOVE, {"task_id": task_id})
    if after != before:
        facts = {"before": before._asdict(), "after": after._asdict()}
        record(actor, "task_checklist_changed", subject_id=task_id, subject_kind="task", **facts)
        live_changes.announce_tasks()


def tick(actor: Actor, *, request_id: int, number: int, done: bool, at: datetime | None = None) -> None:
    """Tick a point of the professional's accepted request, or untick it. Repeating it changes nothing.

    ``at`` is the time that the client reports, if it was offline.

    Raises:
        RequestNotFound, PointNotFound: The actor may not see the request, or it has no such point.
        Forbidden: Only its professional ticks points.
        ChecklistClosed: The request is not accepted.
        PointPhotoMissing: The point needs a photo, and there is none.
        Invalid: The reported time is not possible.
    """
    request = lock(actor, request_id=request_id)
    if relation(actor, request, at=now()) is not Relation.PROFESSIONAL:
        raise Forbidden("Only the professional of this request can tick its checklist.", code="role_not_allowed")
    if request.status != Status.ACCEPTED:
        raise ChecklistClosed
    which = {"request_id": request_id, "number": number}
    row = db.session.execute(LOCK, which).one_or_none()
    if row is None:
        raise PointNotFound
    needs_photo, done_at = row
    if done == (done_at is not None):
        return
    time = time_of_step(request, at) if done else None
    if done and needs_photo and not db.session.execute(HAS_PHOTO, {**which, "author_id": actor.id}).scalar_one():
        raise PointPhotoMissing
    values = {"done_at": time, "done_by": actor.id if done else None}
    db.session.execute(TICK, {**which, **values, "received_at": now() if done else None})
    live_changes.announce_history(request_id, accounts=[request.customer_id, actor.id])
