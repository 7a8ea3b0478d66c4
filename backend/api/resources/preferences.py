"""By which channels, and when, one wants to hear of things."""

from typing import Any

from backend.api.access import SIGNED_IN
from backend.api.base import Resource, endpoint
from backend.api.schemas import preferences as schemas
from backend.api.wire import Reply, replacing, whole
from backend.core.authz import Actor
from backend.core.errors import Invalid, Stale
from backend.domain.accounts import actions as accounts
from backend.domain.notifications import preferences
from backend.domain.notifications.preferences import Choice


def present(choice: Choice) -> dict[str, Any]:
    """Preferences on the wire."""
    return {
        "channels": list(choice.channels),
        "gchat_webhook": choice.gchat_webhook,
        "quiet_hours": choice.quiet_hours,
        "kinds": choice.kinds,
    }


class MyPreferences(Resource):
    @endpoint(summary="How one wants to hear of things", who=SIGNED_IN, response=schemas.Preferences())
    def get(self, actor: Actor) -> Reply:
        """Mail, for those who chose nothing yet."""
        return whole(present(preferences.get(actor.account_id)))

    @endpoint(
        summary="Choose how to hear of things",
        who=SIGNED_IN,
        body=schemas.Preferences(),
        response=schemas.Preferences(),
        errors=(Invalid, Stale),
    )
    def put(self, actor: Actor, *, body: dict[str, Any]) -> Reply:
        """Replaces all of them. Messages go by the first channel that works; mails about the account always come."""
        replacing(lambda: present(preferences.get(actor.account_id)), hold=lambda: accounts.hold(actor.account_id))
        quiet = body["quiet_hours"]
        choice = Choice(
            channels=tuple(body["channels"]),
            gchat_webhook=body["gchat_webhook"],
            quiet_hours={"from": quiet["begin"], "to": quiet["end"]} if quiet else None,
            kinds=body["kinds"],
        )
        preferences.choose(actor.account_id, choice)
        return whole(present(choice))
