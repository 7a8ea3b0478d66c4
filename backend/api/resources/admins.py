"""Making admins."""

from typing import Any

from backend.api.access import ADMINS
from backend.api.base import Resource, endpoint
from backend.api.resources.accounts import present
from backend.api.schemas import accounts as schemas
from backend.core.authz import Actor
from backend.domain.accounts.actions import NewAccount
from backend.domain.accounts.proof import FreshSignInNeeded
from backend.domain.moderation import actions


class Admins(Resource):
    @endpoint(
        summary="Make an admin",
        who=ADMINS,
        body=schemas.CustomerSignUp(),
        response=schemas.Account(),
        status=201,
        errors=(FreshSignInNeeded,),
    )
    def post(self, actor: Actor, *, body: dict[str, Any]) -> dict[str, Any]:
        """As a customer's sign-up; nobody can sign up as an admin. Other admins are notified.

        The caller has to have signed in, or repeated the password (POST /me/confirm-password), within 10 minutes.
        """
        return present(actions.add_admin(actor, new=NewAccount(**body)))
