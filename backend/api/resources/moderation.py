"""Blocking and unblocking people."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.resources.people import answer
from backend.api.schemas import people as schemas
from backend.api.wire import Reply, expected_version
from backend.core.authz import Actor
from backend.core.errors import Conflict, NotFound, Stale
from backend.domain.moderation import actions


class Block(Resource):
    @endpoint(
        summary="Block an account",
        who=ADMINS,
        body=schemas.Block(),
        response=schemas.Person(),
        errors=(NotFound, Conflict, Stale),
    )
    def post(self, actor: Actor, account_id: int, *, body: dict[str, Any]) -> Reply:
        """Refused from its very next call on; accepted requests go back to the market, a customer's are cancelled."""
        actions.block(actor, account_id=account_id, expected_version=expected_version(), **body)
        return answer(account_id)


class Unblock(Resource):
    @endpoint(summary="Unblock an account", who=ADMINS, response=schemas.Person(), errors=(NotFound, Conflict, Stale))
    def post(self, actor: Actor, account_id: int) -> Reply:
        """It can sign in again; what was given back or cancelled stays so."""
        actions.unblock(actor, account_id=account_id, expected_version=expected_version())
        return answer(account_id)
