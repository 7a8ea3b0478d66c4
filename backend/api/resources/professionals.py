"""What admins decide about professionals."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.resources.accounts import present
from backend.api.schemas import accounts as account_schemas
from backend.api.schemas import professionals as schemas
from backend.api.schemas.common import Reason
from backend.api.wire import Reply, expected_version
from backend.core.authz import Actor
from backend.core.errors import Conflict, NotFound, Stale
from backend.domain.accounts import queries as accounts
from backend.domain.professionals import actions


def _answer(professional_id: int) -> Reply:
    account = accounts.get(professional_id)
    return Reply(present(account), version=account.version)


class Approve(Resource):
    @endpoint(
        summary="Approve a professional's document",
        who=ADMINS,
        body=schemas.Approve(),
        body_required=False,
        response=account_schemas.Account(),
        errors=(NotFound, Conflict, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: dict[str, Any]) -> Reply:
        """From now on the professional can work. 409 ``document_missing`` without a document."""
        actions.approve(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return _answer(professional_id)


class Reject(Resource):
    @endpoint(
        summary="Reject a professional's document",
        who=ADMINS,
        body=Reason(),
        response=account_schemas.Account(),
        errors=(NotFound, Conflict, Stale),
    )
    def post(self, actor: Actor, professional_id: int, *, body: dict[str, Any]) -> Reply:
        """The professional is told why and can hand in another one."""
        actions.reject(actor, professional_id=professional_id, expected_version=expected_version(), **body)
        return _answer(professional_id)
