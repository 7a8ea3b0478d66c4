"""Reading checklists."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.db import read_pool
from backend.core.security.authz import Actor
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.lifecycle import Relation
from backend.domain.tasks import queries as tasks

OF_TASK: Final = text("SELECT points, required FROM task_checklists WHERE task_id = :task_id")
OF_REQUEST: Final = text("""
SELECT p.number, p.text, p.needs_photo, p.is_required, p.done_at,
       ARRAY(SELECT photo.id FROM request_photos photo
              WHERE photo.request_id = p.request_id AND photo.point = p.number AND photo.removed_at IS NULL
                AND photo.author_id = r.professional_id ORDER BY photo.id) AS photo_ids
  FROM request_checklist_points p JOIN task_requests r ON r.id = p.request_id
 WHERE p.request_id = :request_id AND r.professional_id IS NOT NULL ORDER BY p.number
""")
SEES: Final = frozenset({Relation.CUSTOMER, Relation.PROFESSIONAL, Relation.ADMIN})


class TaskChecklist(NamedTuple):
    """The points of a task in their order, each with its text and whether it needs a photo.

    ``required``: work is completed only once all are ticked.
    """

    points: list[dict[str, object]]
    required: bool


class RequestPoint(NamedTuple):
    """A point of a request's checklist, with the photos of it. ``done_at`` is the time reported for the tick."""

    number: int
    text: str
    needs_photo: bool
    is_required: bool
    done_at: datetime | None
    photo_ids: list[int]


def of_task(actor: Actor, *, task_id: int) -> TaskChecklist:
    """Return the checklist of a task that the actor may see; without points if it has none. Raises NotFound."""
    tasks.one(actor, task_id=task_id)
    row = read_pool.one_or_none(OF_TASK, {"task_id": task_id})
    return TaskChecklist([], required=False) if row is None else TaskChecklist(*row)


def of_request(actor: Actor, *, request_id: int) -> list[RequestPoint]:
    """Return the checklist of a request for both sides and admins, empty for others who see the request.

    Raises:
        RequestNotFound: There is no such request, or the actor may not see it.
    """
    _, who = requests.one(actor, request_id=request_id)
    if who not in SEES:
        return []
    return [RequestPoint._make(row) for row in read_pool.rows(OF_REQUEST, {"request_id": request_id})]
