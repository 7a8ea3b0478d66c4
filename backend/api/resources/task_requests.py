"""Requests over HTTP: ask, list, read, edit, and a call for each verb."""

from backend.api.auth import ACTIVE, CUSTOMERS, CUSTOMERS_AND_PROFESSIONALS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.presenters import task_requests as present
from backend.api.responses import ApiResponse, expected_version
from backend.api.schemas import task_requests as schemas
from backend.core.config import current_settings
from backend.core.db.date_range import date_range
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record_read
from backend.domain.reviews import queries as reviews
from backend.domain.task_requests import actions, history, inbox, queries
from backend.domain.task_requests.rows import RequestWithContacts

CHANGE_ERRORS = (NotFound, Forbidden, Conflict, Stale, Invalid)


def changed(actor: Actor, row: RequestWithContacts) -> ApiResponse:
    """Return a request as it is after the caller's change."""
    return ApiResponse(present.request(actor, row), version=row.request.version)


class Requests(Resource):
    @endpoint(
        summary="Create a request",
        who=CUSTOMERS,
        body=schemas.NewRequest(),
        response=schemas.Request(),
        status=201,
        errors=(Conflict, Invalid),
        headers=("Location",),
        idempotent=True,
        rate_limit="request_rate_limit",
    )
    def post(self, actor: Actor, *, body: schemas.NewRequestData) -> ApiResponse:
        """The task's current price and duration apply.

        With ``professional_id``, only that professional sees the request at first.
        """
        new = actions.NewRequest(
            task_id=body["task_id"],
            date_of_request=body["date_of_request"],
            remarks=body["remarks"] or "",
            address=body["address"],
            pincode=body["pincode"],
            professional_id=body["professional_id"],
        )
        created = actions.create(actor, new=new)
        response = changed(actor, created)
        response.headers["Location"] = f"/requests/{created.request.id}"
        return response

    @endpoint(
        summary="List requests",
        who=ACTIVE,
        query=schemas.RequestQuery(),
        response=schemas.Request(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: schemas.RequestQueryData) -> Page[dict[str, object]]:
        """Customers get their own requests, admins all.

        Professionals get open requests, best match first, or their own with ``scope=mine``.
        """
        window = Window(query["limit"], query["cursor"])
        filters = queries.RequestFilters(
            status=query["status"],
            task_id=query["task_id"],
            dates=date_range(query["first"], query["last"], zone=current_settings().zone),
            professional_id=query["professional_id"],
            customer_id=query["customer_id"],
        )
        if actor.role is Role.PROFESSIONAL and query["scope"] == "open":
            inbox_filters = inbox.InboxFilters(bool(query["matching"]), bool(query["free"]), query["max_km"])
            waiting = inbox.page(actor, filters=filters, inbox_filters=inbox_filters, window=window)
            return Page(present.inbox(actor, waiting.items), waiting.next_cursor)
        found = queries.page(actor, filters=filters, window=window)
        if actor.role is Role.ADMIN:
            record_read(actor, "requests_listed", subject_kind="requests")
        return Page(present.requests(actor, found.items), found.next_cursor)


class OneRequest(Resource):
    @endpoint(
        summary="Get a request",
        who=ACTIVE,
        response=schemas.RequestDetail(),
        errors=(NotFound,),
    )
    def get(self, actor: Actor, *, request_id: int) -> ApiResponse:
        """Includes the history and the review. Professionals can see a request while it is open to them."""
        row, who = queries.one(actor, request_id=request_id)
        body = present.request(actor, row, who)
        body["history"] = history.read(actor, who, row.request)
        body["review"] = reviews.of_request(actor, request_id=request_id) if row.request.reviewed_at else None
        if actor.role is Role.ADMIN:
            record_read(actor, "request_viewed", subject_id=request_id, subject_kind="request")
        return ApiResponse(body, version=row.request.version)

    @endpoint(
        summary="Update a request",
        who=CUSTOMERS,
        body=schemas.RequestEdit(),
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def patch(self, actor: Actor, *, request_id: int, body: schemas.RequestEditData) -> ApiResponse:
        """After a change of date, the same professional is asked first.

        ``status: "completed"`` completes the request.
        """
        completes, version = "status" in body, expected_version()
        edits = actions.Edits(
            date_of_request=body.get("date_of_request"),
            remarks=body.get("remarks"),
            address=body.get("address"),
            pincode=body.get("pincode"),
        )
        if completes and len(body) == 1:
            return changed(actor, actions.complete(actor, request_id=request_id, expected_version=version))
        edited = actions.edit(actor, request_id=request_id, edits=edits, expected_version=version)
        return changed(actor, actions.complete(actor, request_id=request_id) if completes else edited)


class Accept(Resource):
    @endpoint(summary="Accept a request", who=PROFESSIONALS, response=schemas.Request(), errors=CHANGE_ERRORS)
    def post(self, actor: Actor, *, request_id: int) -> ApiResponse:
        """If several professionals accept at the same time, one succeeds and the others get 409 ``already_taken``."""
        return changed(actor, actions.accept(actor, request_id=request_id, expected_version=expected_version()))


class Reject(Resource):
    @endpoint(
        summary="Decline a request",
        who=PROFESSIONALS,
        body=schemas.RejectReason(),
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.CodedReasonData) -> ApiResponse:
        """Hides the request from this professional; it stays open to others."""
        return changed(actor, actions.reject(actor, request_id=request_id, **body, expected_version=expected_version()))


class Release(Resource):
    @endpoint(
        summary="Release a request",
        who=PROFESSIONALS,
        body=schemas.ReleaseReason(),
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.CodedReasonData) -> ApiResponse:
        """Returns an accepted request to Requested, open to all professionals."""
        released = actions.release(actor, request_id=request_id, **body, expected_version=expected_version())
        return changed(actor, released)


class Complete(Resource):
    @endpoint(
        summary="Mark a request as completed",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.Completion(),
        body_required=False,
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
        idempotent=True,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.CompletionData) -> ApiResponse:
        """The customer or the professional can complete it, before or after the date."""
        completed = actions.complete(actor, request_id=request_id, **body, expected_version=expected_version())
        return changed(actor, completed)


class Close(Resource):
    @endpoint(
        summary="Close a request",
        who=CUSTOMERS_AND_PROFESSIONALS,
        body=schemas.Closing(),
        body_required=False,
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.ClosingData) -> ApiResponse:
        """Professionals can close completed requests. Customers can also close accepted ones, which completes them."""
        closed = actions.close(
            actor, request_id=request_id, remarks=body["remarks"], expected_version=expected_version()
        )
        return changed(actor, closed)


class Cancel(Resource):
    @endpoint(
        summary="Cancel a request",
        who=CUSTOMERS,
        body=schemas.CancelReason(),
        response=schemas.Request(),
        errors=CHANGE_ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.CodedReasonData) -> ApiResponse:
        """``cancelled_late`` is true if the free cancellation period had passed."""
        return changed(actor, actions.cancel(actor, request_id=request_id, **body, expected_version=expected_version()))


class Inbox(Resource):
    @endpoint(summary="Get inbox counts", who=PROFESSIONALS, response=schemas.InboxCounts())
    def get(self, actor: Actor) -> dict[str, object]:
        """``new`` counts the matching requests added or changed since the inbox was last viewed."""
        return inbox.counts(actor)._asdict()

    @endpoint(summary="Mark the inbox as viewed", who=PROFESSIONALS, response=schemas.InboxCounts())
    def post(self, actor: Actor) -> dict[str, object]:
        """Resets the count of new requests."""
        inbox.mark_seen(actor)
        return inbox.counts(actor)._asdict()
