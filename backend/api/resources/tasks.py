"""Tasks: the catalogue of work that professionals offer."""

from typing import Final

from flask import Response

from backend.api.auth import ADMINS, VISITORS
from backend.api.endpoint import Resource, endpoint
from backend.api.response_cache import public
from backend.api.responses import ApiResponse, JsonObject, expected_version, to_json
from backend.api.schemas import tasks as schemas
from backend.core.cache import Rendered
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Invalid, NotFound, Stale
from backend.core.security.authz import SYSTEM, Actor
from backend.domain.tasks import actions, queries

TASK: Final = schemas.Task()


def present(row: queries.TaskRow, *, for_admin: bool) -> JsonObject:
    """Return a task as a response body."""
    task = {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "category": row.category,
        "base_price": row.base_price,
        "pricing": row.pricing,
        "currency": row.currency,
        "time_required": row.time_required,
        "isactive": int(row.isactive),
        "rating": float(row.rating) if row.rating is not None else None,
        "reviews": row.reviews,
        "professionals": row.professionals,
        "picture": row.picture,
    }
    if for_admin:
        task |= {"search_words": row.search_words, "archived_at": row.archived_at}
    return task


def task_response(task_id: int, *, actor: Actor | None) -> ApiResponse:
    """Return one task as the actor may see it, with its version."""
    row = queries.one(actor, task_id=task_id)
    return ApiResponse(present(row, for_admin=queries.sees_all(actor)), version=row.version)


class Tasks(Resource):
    @endpoint(summary="List tasks", who=VISITORS, query=schemas.TaskFilter(), response=TASK, paged=True)
    def get(self, actor: Actor | None, *, query: schemas.TaskFilterData) -> Page[JsonObject] | Response:
        """Sorted by name. Admins also see inactive and archived tasks."""
        window = Window(query["limit"], query["cursor"])
        category, q = query["category"], query["q"]
        if queries.sees_all(actor):
            page = queries.page(actor, window=window, category=category, q=q)
            return Page([present(row, for_admin=True) for row in page.items], page.next_cursor)

        def render() -> Rendered:
            page = queries.page(None, window=window, category=category, q=q)
            items = [present(row, for_admin=False) for row in page.items]
            return Rendered(to_json({"items": items, "next_cursor": page.next_cursor}))

        return public("tasks", render)

    @endpoint(
        summary="Create a task",
        who=ADMINS,
        body=schemas.NewTask(),
        response=TASK,
        status=201,
        errors=(Invalid,),
    )
    def post(self, actor: Actor, *, body: schemas.NewTaskData) -> ApiResponse:
        """The task is available immediately, unless isactive is 0 (draft)."""
        new = actions.NewTask(
            name=body["name"],
            description=body["description"],
            category=body["category"],
            base_price=body["base_price"],
            pricing=body["pricing"],
            time_required=body["time_required"],
            isactive=bool(body["isactive"]),
            picture=body["picture"],
            search_words=body["search_words"],
        )
        task = actions.create(actor, new=new)
        response = task_response(task.id, actor=actor)
        response.headers["Location"] = f"/tasks/{task.id}"
        return response


class OneTask(Resource):
    @endpoint(summary="Get a task", who=VISITORS, response=TASK, errors=(NotFound,))
    def get(self, actor: Actor | None, *, task_id: int) -> ApiResponse | Response:
        """Only admins can see inactive and archived tasks."""
        if queries.sees_all(actor):
            return task_response(task_id, actor=actor)

        def render() -> Rendered:
            row = queries.one(None, task_id=task_id)
            return Rendered(to_json(present(row, for_admin=False)), tag_version=row.version)

        return public("task", render)

    @endpoint(
        summary="Update a task",
        who=ADMINS,
        body=schemas.TaskEdit(),
        response=TASK,
        errors=(NotFound, Conflict, Stale, Invalid),
    )
    def patch(self, actor: Actor, *, task_id: int, body: schemas.TaskEditData) -> ApiResponse:
        """Omitted fields are not changed. Existing requests keep the task's previous name, price and duration."""
        changes = {**body, "isactive": bool(body["isactive"])} if "isactive" in body else body
        actions.edit(actor, task_id=task_id, changes=changes, expected_version=expected_version())
        return task_response(task_id, actor=SYSTEM)

    @endpoint(summary="Delete a task", who=ADMINS, status=204, errors=(NotFound, Stale))
    def delete(self, actor: Actor, *, task_id: int) -> None:
        """Deletes a task without requests; archives one that has requests."""
        actions.remove(actor, task_id=task_id, expected_version=expected_version())
