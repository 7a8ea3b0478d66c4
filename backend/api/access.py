"""Who may make a call: declared beside each endpoint, enforced in one place, printed into OpenAPI."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from backend.core.authz import Actor, Role
from backend.core.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class Access:
    """Roles that may call; whether a token is read, and needed; whether a professional must be approved.

    ``needs_own_password``: refused while the account still has the password that was issued to it.
    ``forgives_bad_token``: who signs in or up again may still send an old token, but a blocked account is told so.
    """

    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    reads_token: bool = True
    needs_token: bool = True
    needs_active: bool = True
    needs_own_password: bool = True
    forgives_bad_token: bool = False

    def check(self, actor: Actor | None) -> None:
        """Let the actor pass, or raise Unauthenticated or Forbidden with the contract's codes."""
        if actor is None:
            if self.needs_token:
                raise Unauthenticated("This call needs an access token. Sign in with POST /check.")
            return
        if not self.needs_token:
            return
        if self.needs_own_password and actor.must_change_password:
            raise Forbidden("Choose a password of your own first: POST /me/password.", code="password_change_needed")
        if self.needs_active and not actor.is_active:
            raise Forbidden(
                "An admin has to approve your document first. See GET /me for where it stands.", code="not_active"
            )
        if actor.role not in self.roles:
            raise Forbidden("Your role has no business with this call.", code="role_not_allowed")


def _for(name: str, roles: Iterable[Role], *, needs_active: bool = True, needs_own_password: bool = True) -> Access:
    return Access(name, frozenset(roles), needs_active=needs_active, needs_own_password=needs_own_password)


PROBES: Final = Access("anyone", reads_token=False, needs_token=False, needs_active=False)
ANYONE: Final = Access("anyone", needs_token=False, needs_active=False, forgives_bad_token=True)
VISITORS: Final = Access("anyone (a token tells who asks)", needs_token=False, needs_active=False)
SIGNED_IN: Final = _for("signed in", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN], needs_active=False)
FIRST_PASSWORD_TOO: Final = _for(
    "signed in", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN], needs_active=False, needs_own_password=False
)
ACTIVE: Final = _for("signed in and active", [Role.CUSTOMER, Role.PROFESSIONAL, Role.ADMIN])
CUSTOMERS: Final = _for("customer", [Role.CUSTOMER])
CUSTOMERS_AND_ADMINS: Final = _for("customer or admin", [Role.CUSTOMER, Role.ADMIN])
PROFESSIONALS: Final = _for("active professional", [Role.PROFESSIONAL])
PENDING_PROFESSIONALS: Final = _for("professional", [Role.PROFESSIONAL], needs_active=False)
CUSTOMERS_AND_PROFESSIONALS: Final = _for("customer or active professional", [Role.CUSTOMER, Role.PROFESSIONAL])
ADMINS: Final = _for("admin", [Role.ADMIN])
