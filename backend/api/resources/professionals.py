"""Professionals as admins see them, and what admins decide about them."""

from typing import Any

from backend.api.auth import ADMINS
from backend.api.endpoint import Resource, endpoint
from backend.api.resources.moderation import answer, answer_one, present_person
from backend.api.responses import ApiResponse, expected_version
from backend.api.schemas import moderation as people_schemas
from backend.api.schemas import professionals as schemas
from backend.core.db.pagination import Page, Window
from backend.core.errors import Conflict, NotFound, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record_read
from backend.domain.professionals import actions, queries


class Professionals(Resource):
    @endpoint(
        summary="Professionals",
        who=ADMINS,
        query=people_schemas.Professionals(),
        response=people_schemas.Person(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The newest first; with words the likeliest first. ``sort=waiting``: who waits longest for a decision."""
        window = Window(query.pop("limit"), query.pop("cursor"))
        page = queries.professionals(filters=queries.ProfessionalFilters(**query), window=window)
        record_read(actor, "people_listed", subject_kind="professionals")
        return Page([present_person(account, trade) for account, trade in page.items], page.next_cursor)


class OneProfessional(Resource):
    @endpoint(summary="One professional", who=ADMINS, response=people_schemas.OnePerson(), errors=(NotFound,))
    def get(self, actor: Actor, professional_id: int) -> ApiResponse:
        """With figures, the latest reviews, and what was done to the account."""
        return answer_one(actor, professional_id, role=Role.PROFESSIONAL)

    @endpoint(
        summary="Say until when an approval is good",
        who=ADMINS,
        body=schemas.Expiry(),
        response=people_schemas.Person(),
        errors=(NotFound, Conflict, Stale),
    )
    def patch(self, actor: Actor, professional_id: int, *, body: dict[str, Any]) -> ApiResponse:
        """The professional is reminded 30 days ahead and inactive from then on."""
        actions.set_expiry(
            actor,
            professional_id=professional_id,
            expires_at=body["approval_expires_at"],
            expected_version=expected_version(),
        )
        return answer(professional_id)


class Approve(Resource):
    @endpoint(
        summary="Approve a professional's document",
        who=ADMINS,
        body=schemas.Approve(),
        body_required=False,
        response=people_schemas.Person(),
        errors=(NotFound, Conflict, actions.DocumentReplaced, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: dict[str, Any]) -> ApiResponse:
        """From now on the professional can work. 409 ``document_missing`` without a document."""
        actions.approve(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return answer(professional_id)


class Reject(Resource):
    @endpoint(
        summary="Reject a professional's document",
        who=ADMINS,
        body=schemas.Reject(),
        response=people_schemas.Person(),
        errors=(NotFound, Conflict, actions.DocumentReplaced, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: dict[str, Any]) -> ApiResponse:
        """The professional is told why and can submit another one."""
        actions.reject(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return answer(professional_id)
