"""Reviews: written by customers, replied to and reported by professionals, moderated by admins."""

from backend.api.auth import ADMINS, CUSTOMERS, PROFESSIONALS
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import JsonObject, expected_version
from backend.api.schemas import reviews as schemas
from backend.api.schemas.common import Reason, ReasonData, WindowData
from backend.api.schemas.common import Window as WindowQuery
from backend.api.schemas.task_requests import RequestReview
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from backend.core.security.authz import Actor
from backend.domain.reviews import actions, queries

ERRORS = (NotFound, Conflict, Invalid)


def changed_review(actor: Actor, request_id: int) -> JsonObject:
    """Return the review after the actor's change."""
    review = queries.of_request(actor, request_id=request_id)
    if review is None:
        raise NotFound("This request has not been reviewed.")
    return review


class Review(Resource):
    @endpoint(
        summary="Review a request",
        who=CUSTOMERS,
        body=schemas.NewReview(),
        response=RequestReview(),
        status=201,
        errors=(*ERRORS, Forbidden, Stale),
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.NewReviewData) -> JsonObject:
        """Once per request, within 30 days of its completion."""
        actions.give(
            actor,
            request_id=request_id,
            rating=body["rating"],
            comment=body["comment"] or None,
            expected_version=expected_version(),
        )
        return changed_review(actor, request_id)


class Reply(Resource):
    @endpoint(
        summary="Reply to a review", who=PROFESSIONALS, body=schemas.Reply(), response=RequestReview(), errors=ERRORS
    )
    def post(self, actor: Actor, *, request_id: int, body: schemas.ReplyData) -> JsonObject:
        """Once per review, by the professional reviewed."""
        actions.reply(actor, request_id=request_id, text=body["reply"])
        return changed_review(actor, request_id)


class Report(Resource):
    @endpoint(
        summary="Report a review",
        who=PROFESSIONALS,
        body=Reason(),
        response=RequestReview(),
        errors=ERRORS,
    )
    def post(self, actor: Actor, *, request_id: int, body: ReasonData) -> JsonObject:
        """Asks admins to check the review. Only the professional reviewed can report it."""
        actions.report(actor, request_id=request_id, reason=body["reason"])
        return changed_review(actor, request_id)


class Hide(Resource):
    @endpoint(summary="Hide a review", who=ADMINS, body=Reason(), response=RequestReview(), errors=ERRORS)
    def post(self, actor: Actor, *, request_id: int, body: ReasonData) -> JsonObject:
        """A hidden review does not count in any rating; its author can still see it."""
        actions.hide(actor, request_id=request_id, reason=body["reason"])
        return changed_review(actor, request_id)


class Show(Resource):
    @endpoint(summary="Show a review", who=ADMINS, response=RequestReview(), errors=ERRORS)
    def post(self, actor: Actor, *, request_id: int) -> JsonObject:
        """Makes a hidden review visible again and resolves any report."""
        actions.show(actor, request_id=request_id)
        return changed_review(actor, request_id)


class Reviews(Resource):
    @endpoint(
        summary="List reviews",
        who=ADMINS,
        query=schemas.ReviewQuery(),
        response=schemas.ReviewJudged(),
        paged=True,
    )
    def get(self, _: Actor, *, query: schemas.ReviewQueryData) -> Page[JsonObject]:
        """Latest first. Use ``reported=1&hidden=0`` for reports awaiting a decision."""
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
        summary="List my reviews",
        who=PROFESSIONALS,
        query=WindowQuery(),
        response=schemas.ReviewListed(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Reviews received, latest first. Hidden reviews are left out."""
        window = Window(query["limit"], query["cursor"])
        filters = queries.ReviewFilters(professional_id=actor.id, hidden=False)
        return queries.page(filters=filters, window=window, private=False)
