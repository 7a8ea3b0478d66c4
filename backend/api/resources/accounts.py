"""Sign-up and one's own account."""

from typing import Any

from backend.api.access import ANYONE
from backend.api.base import Resource, endpoint
from backend.api.schemas import accounts as schemas
from backend.core.authz import Actor, Role
from backend.domain.accounts import actions
from backend.domain.accounts.models import Account


def present(account: Account) -> dict[str, Any]:
    """An account on the wire, without what is special to its role."""
    return {
        "id": account.id,
        "role": account.role,
        "username": account.username,
        "email": account.email,
        "firstname": account.firstname,
        "lastname": account.lastname,
        "address": account.address,
        "pincode": account.pincode,
        "phone": account.phone,
        "isactive": int(account.blocked_at is None),
        "created_at": account.created_at,
    }


class AddCustomer(Resource):
    @endpoint(
        summary="Sign up as a customer",
        who=ANYONE,
        body=schemas.CustomerSignUp(),
        response=schemas.Account(),
        status=201,
        rate_limit="signup_rate_limit",
    )
    def post(self, _: Actor | None, *, body: dict[str, Any]) -> dict[str, Any]:
        """Anyone can; the account is active at once."""
        return present(actions.sign_up(actions.NewAccount(**body), role=Role.CUSTOMER))
