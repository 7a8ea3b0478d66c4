"""Blocking and unblocking people."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.resources.people import answer
from backend.api.schemas import people as schemas
from backend.api.wire import Reply, expected_version
from backend.core.authz import Actor
from backend.core.errors import Conflict, NotFound, Stale
from backend.domain.accounts.proof import FreshSignInNeeded
from backend.domain.moderation import actions


class Block(Resource):
    @endpoint(
        summary="Block an account",
        who=ADMINS,
        body=schemas.Block(),
        response=schemas.Person(),
        errors=(NotFound, Conflict, Stale, FreshSignInNeeded),
    )
    def post(self, actor: Actor, account_id: int, *, body: dict[str, Any]) -> Reply:
        """Refused from its very next call on; accepted requests go back to the market, a customer's are cancelled.

        For an admin's account the caller has to have signed in, or repeated the password, within 10 minutes.
        """
        actions.block(actor, account_id=account_id, expected_version=expected_version(), **body)
        return answer(account_id)


class Unblock(Resource):
    @endpoint(summary="Unblock an account", who=ADMINS, response=schemas.Person(), errors=(NotFound, Conflict, Stale))
    def post(self, actor: Actor, account_id: int) -> Reply:
        """It can sign in again; what was given back or cancelled stays so."""
        actions.unblock(actor, account_id=account_id, expected_version=expected_version())
        return answer(account_id)


class EndSessions(Resource):
    @endpoint(
        summary="Sign an account out on every device", who=ADMINS, status=204, errors=(NotFound, FreshSignInNeeded)
    )
    def post(self, actor: Actor, account_id: int) -> None:
        """Without blocking it: it can sign in again. Links mailed to reset its password stop working.

        For another admin's account the caller has to have signed in, or repeated the password, within 10 minutes.
        """
        actions.end_sessions(actor, account_id=account_id)
