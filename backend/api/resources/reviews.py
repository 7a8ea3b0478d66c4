"""Reviews over HTTP: given by customers, replied to and reported by professionals, judged by admins."""

from typing import Any

from backend.api.auth import ADMINS, CUSTOMERS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import expected_version
from backend.api.schemas import reviews as schemas
from backend.api.schemas.common import Reason
from backend.api.schemas.common import Window as WindowQuery
from backend.api.schemas.task_requests import RequestReview
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.reviews import actions, queries

ERRORS = (NotFound, Conflict, Invalid)


def shown(actor: Actor, request_id: int) -> dict[str, Any]:
    """The review after the caller's change."""
    review = queries.of_request(actor, request_id=request_id)
    if review is None:
        raise NotFound("This request has no review.")
    return review


class Review(Resource):
    @endpoint(
        summary="Review a request that is done",
        who=CUSTOMERS,
        body=schemas.NewReview(),
        response=RequestReview(),
        status=201,
        errors=(*ERRORS, Forbidden, Stale),
    )
    def post(self, actor: Actor, *, request_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Once, within 30 days of the end."""
        actions.give(
            actor,
            request_id=request_id,
            rating=body["rating"],
            comment=body["comment"] or None,
            expected_version=expected_version(),
        )
        return shown(actor, request_id)


class Reply(Resource):
    @endpoint(
        summary="Reply to a review", who=PROFESSIONALS, body=schemas.Reply(), response=RequestReview(), errors=ERRORS
    )
    def post(self, actor: Actor, *, request_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """Once, by its professional."""
        actions.reply(actor, request_id=request_id, text=body["reply"])
        return shown(actor, request_id)


class Report(Resource):
    @endpoint(
        summary="Ask admins to look at a review",
        who=PROFESSIONALS,
        body=Reason(),
        response=RequestReview(),
        errors=ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """By its professional, with a reason."""
        actions.report(actor, request_id=request_id, reason=body["reason"])
        return shown(actor, request_id)


class Hide(Resource):
    @endpoint(summary="Hide a review", who=ADMINS, body=Reason(), response=RequestReview(), errors=ERRORS)
    def post(self, actor: Actor, *, request_id: int, body: dict[str, Any]) -> dict[str, Any]:
        """It counts no more in any rating; its author still sees it."""
        actions.hide(actor, request_id=request_id, reason=body["reason"])
        return shown(actor, request_id)


class Show(Resource):
    @endpoint(summary="Let a review stand", who=ADMINS, response=RequestReview(), errors=ERRORS)
    def post(self, actor: Actor, *, request_id: int) -> dict[str, Any]:
        """Shows a hidden one again, and settles a report."""
        actions.show(actor, request_id=request_id)
        return shown(actor, request_id)


class Reviews(Resource):
    @endpoint(
        summary="All reviews",
        who=ADMINS,
        query=schemas.ReviewQuery(),
        response=schemas.ReviewJudged(),
        paged=True,
    )
    def get(self, _: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The latest first; ``reported=1&hidden=0`` for those that wait to be looked at."""
        window = Window(query["limit"], query["cursor"])
        filters = queries.ReviewFilters(
            professional_id=query["professional_id"],
            customer_id=query["customer_id"],
            task_id=query["task_id"],
            reported=None if query["reported"] is None else bool(query["reported"]),
            hidden=None if query["hidden"] is None else bool(query["hidden"]),
        )
        return queries.page(filters=filters, window=window, private=True)


class MyReviews(Resource):
    @endpoint(
        summary="Reviews of one's own work",
        who=PROFESSIONALS,
        query=WindowQuery(),
        response=schemas.ReviewListed(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The latest first, without hidden ones."""
        window = Window(query["limit"], query["cursor"])
        filters = queries.ReviewFilters(professional_id=actor.id, hidden=False)
        return queries.page(filters=filters, window=window, private=False)
