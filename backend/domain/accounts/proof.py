"""Fresh proof of identity: what calls ask for whose damage outlives the session that made them."""

from datetime import timedelta
from typing import Final

from backend.core.authz import Actor, Role
from backend.core.clock import now
from backend.core.errors import Unauthenticated

LASTS: Final = timedelta(minutes=10)


class FreshSignInNeeded(Unauthenticated):
    """The session is valid, but it proved the password too long ago for this call."""

    code = "fresh_sign_in_needed"
    title = "Confirm your password"


def require(actor: Actor) -> None:
    """Let a session pass that signed in, or repeated its password, within the last minutes.

    Commands and jobs pass: they hold no session that could have been stolen. Raises FreshSignInNeeded.
    """
    if actor.role is Role.MARKET:
        return
    if actor.proven_at is None or now() - actor.proven_at > LASTS:
        raise FreshSignInNeeded(
            "Enter your password again to do this: send it to POST /me/confirm-password, then repeat the call."
        )
