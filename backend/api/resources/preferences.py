"""By which channels, and when, one wants to hear of things."""

from typing import Any

from backend.api.auth import SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, replacing, whole
from backend.api.schemas import preferences as schemas
from backend.core.errors import Invalid, Stale
from backend.core.security.authz import Actor
from backend.domain.accounts import actions as account_actions
from backend.domain.accounts import queries as accounts
from backend.domain.notifications import preferences
from backend.domain.notifications.channels import sms
from backend.domain.notifications.preferences import Choice


def present(account_id: int, choice: Choice) -> dict[str, Any]:
    """Return the body that shows the preferences, and why a channel cannot be used, chosen or not."""
    account = accounts.get(account_id)
    why = sms.why_not(account.phone, is_verified=account.phone_verified_at is not None)
    return {
        "channels": list(choice.channels),
        "gchat_webhook": choice.gchat_webhook,
        "quiet_hours": choice.quiet_hours,
        "kinds": choice.kinds,
        "unavailable": {"sms": why._asdict()} if why else {},
    }


class MyPreferences(Resource):
    @endpoint(summary="Get my notification preferences", who=SIGNED_IN, response=schemas.Preferences())
    def get(self, actor: Actor) -> ApiResponse:
        """The default is email only."""
        return whole(_read(actor.account_id))

    @endpoint(
        summary="Update my notification preferences",
        who=SIGNED_IN,
        body=schemas.Preferences(),
        response=schemas.Preferences(),
        errors=(Invalid, Stale),
    )
    def put(self, actor: Actor, *, body: dict[str, Any]) -> ApiResponse:
        """Replaces all preferences except ``kinds``, which are kept if omitted.

        Messages are sent on the first channel that works. Emails about the account are always sent.
        """
        replacing(lambda: _read(actor.account_id), hold=lambda: account_actions.hold(actor.account_id))
        quiet = body["quiet_hours"]
        choice = Choice(
            channels=tuple(body["channels"]),
            gchat_webhook=body["gchat_webhook"],
            quiet_hours={"from": quiet["begin"], "to": quiet["end"]} if quiet else None,
            kinds=body["kinds"] or {},
        )
        preferences.choose(actor.account_id, choice, keeps_kinds=body["kinds"] is None)
        return whole(_read(actor.account_id))


def _read(account_id: int) -> dict[str, Any]:
    return present(account_id, preferences.get(account_id))
