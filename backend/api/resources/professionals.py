"""Professionals for admins: the list, details, and decisions on their documents."""

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.moderation import account_detail_response, account_response, present_for_admin
from backend.api.responses import ApiResponse, JsonObject, expected_version
from backend.api.schemas import moderation as moderation_schemas
from backend.api.schemas import professionals as schemas
from backend.core.config import current_settings
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, NotFound, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record_read
from backend.domain.professionals import actions, queries


class Professionals(Resource):
    @endpoint(
        summary="List professionals",
        who=ADMINS,
        query=moderation_schemas.Professionals(),
        response=moderation_schemas.UserAccount(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: moderation_schemas.ProfessionalsData) -> Page[JsonObject]:
        """Newest first, or best match first when searching.

        ``sort=waiting`` lists the longest-pending approvals first.
        """
        window = Window(query["limit"], query["cursor"])
        filters = queries.ProfessionalFilters(
            q=query["q"],
            blocked=None if query["blocked"] is None else bool(query["blocked"]),
            pincode=query["pincode"],
            sort=query["sort"],
            approval=query["approval"],
            task_id=query["task_id"],
            min_rating=query["min_rating"],
            max_rating=query["max_rating"],
        )
        page = queries.professionals(filters=filters, window=window)
        record_read(actor, "people_listed", subject_kind="professionals")
        settings = current_settings()
        items = [present_for_admin(account, profile, settings=settings) for account, profile in page.items]
        return Page(items, page.next_cursor)


class OneProfessional(Resource):
    @endpoint(
        summary="Get a professional", who=ADMINS, response=moderation_schemas.UserAccountDetail(), errors=(NotFound,)
    )
    def get(self, actor: Actor, professional_id: int) -> ApiResponse:
        """Includes statistics, the latest reviews and the account's audit history."""
        return account_detail_response(actor, professional_id, role=Role.PROFESSIONAL)

    @endpoint(
        summary="Set the expiry of an approval",
        who=ADMINS,
        body=schemas.Expiry(),
        response=moderation_schemas.UserAccount(),
        errors=(NotFound, Conflict, Stale),
    )
    def patch(self, actor: Actor, professional_id: int, *, body: schemas.ExpiryData) -> ApiResponse:
        """The professional is reminded 30 days before the expiry and becomes inactive when it passes."""
        actions.set_expiry(
            actor,
            professional_id=professional_id,
            expires_at=body["approval_expires_at"],
            expected_version=expected_version(),
        )
        return account_response(professional_id)


class Approve(Resource):
    @endpoint(
        summary="Approve a professional's document",
        who=ADMINS,
        body=schemas.Approve(),
        body_required=False,
        response=moderation_schemas.UserAccount(),
        errors=(NotFound, Conflict, actions.DocumentReplaced, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: schemas.ApproveData) -> ApiResponse:
        """The professional can then accept requests. 409 ``document_missing`` if no document has been uploaded."""
        actions.approve(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return account_response(professional_id)


class Reject(Resource):
    @endpoint(
        summary="Reject a professional's document",
        who=ADMINS,
        body=schemas.Reject(),
        response=moderation_schemas.UserAccount(),
        errors=(NotFound, Conflict, actions.DocumentReplaced, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: schemas.RejectData) -> ApiResponse:
        """The professional is notified of the reason and can upload another document."""
        actions.reject(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return account_response(professional_id)
