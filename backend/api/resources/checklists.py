"""Checklists over HTTP: that of a task, and that of a request with what was ticked."""

from backend.api.auth import ACTIVE, ADMINS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, lock_and_check, versioned_by_content
from backend.api.schemas import checklists as schemas
from backend.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.checklists import actions, queries
from backend.domain.task_requests import policies


def of_task(actor: Actor, task_id: int) -> JsonObject:
    """Return the checklist of a task that the actor may see."""
    return queries.of_task(actor, task_id=task_id)._asdict()


def of_request(actor: Actor, request_id: int) -> JsonObject:
    """Return the checklist of a request that the actor may see."""
    return {
        "items": [
            {
                "number": point.number,
                "text": point.text,
                "photo": point.needs_photo,
                "required": point.is_required,
                "done_at": point.done_at,
                "photo_ids": point.photo_ids,
            }
            for point in queries.of_request(actor, request_id=request_id)
        ]
    }


class TaskChecklist(Resource):
    @endpoint(
        summary="Get the checklist of a task",
        who=ACTIVE,
        response=schemas.TaskChecklist(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, task_id: int) -> ApiResponse:
        """Without points, professionals have nothing to tick."""
        return versioned_by_content(of_task(actor, task_id))

    @endpoint(
        summary="Update the checklist of a task",
        who=ADMINS,
        body=schemas.TaskChecklist(),
        response=schemas.TaskChecklist(),
        errors=(NotFound, Invalid, Stale),
    )
    def put(self, actor: Actor, *, task_id: int, body: schemas.TaskChecklistData) -> ApiResponse:
        """Replaces all points. Requests that are accepted keep the points of that time."""
        lock_and_check(lambda: of_task(actor, task_id), lock=lambda: policies.lock(task_id))
        points = [actions.Point(point["text"], point["photo"]) for point in body["points"]]
        actions.change(actor, task_id=task_id, points=points, required=body["required"])
        return versioned_by_content(of_task(actor, task_id))


class RequestChecklist(Resource):
    @endpoint(
        summary="Get the checklist of a request",
        who=ACTIVE,
        response=schemas.RequestChecklist(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> JsonObject:
        """For both sides of an accepted request and admins: its points, and when each was ticked."""
        return of_request(actor, request_id)


class RequestChecklistPoint(Resource):
    @endpoint(
        summary="Tick a point of a checklist",
        who=PROFESSIONALS,
        body=schemas.Tick(),
        response=schemas.RequestChecklist(),
        errors=(NotFound, Forbidden, Conflict, Invalid),
    )
    def put(self, actor: Actor, *, request_id: int, number: int, body: schemas.TickData) -> JsonObject:
        """Or untick it, while the request is accepted. Idempotent.

        409 ``point_photo_missing`` if the point needs a photo: upload one with ``point``. Where the points are
        required, completing the work with an open one is 409 ``checklist_open``.
        """
        actions.tick(actor, request_id=request_id, number=number, done=body["done"], at=body["at"])
        return of_request(actor, request_id)
