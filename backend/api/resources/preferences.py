"""The user's notification preferences."""

from backend.api.auth import SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject, lock_and_check, versioned_by_content
from backend.api.schemas import preferences as schemas
from backend.core.errors import Invalid, Stale
from backend.core.security.authz import Actor
from backend.domain.accounts import actions as account_actions
from backend.domain.accounts import queries as accounts
from backend.domain.notifications import preferences, push_subscriptions
from backend.domain.notifications.channels import chat, push, sms
from backend.domain.notifications.preferences import Choice


def present(account_id: int, choice: Choice) -> JsonObject:
    """Return the preferences as a response body, with the reason for each channel that is unavailable."""
    account = accounts.get(account_id)
    reasons = {
        "sms": sms.why_not(account.phone, is_verified=account.phone_verified_at is not None),
        "chat": chat.why_not(
            phone=account.phone, is_verified=account.phone_verified_at is not None, chat_id=choice.chat_id
        ),
        "push": push.why_not(has_device=bool(push_subscriptions.usable(account_id))),
    }
    return {
        "channels": list(choice.channels),
        "gchat_webhook": choice.gchat_webhook,
        "chat_id": choice.chat_id,
        "quiet_hours": choice.quiet_hours,
        "kinds": choice.kinds,
        "unavailable": {channel: reason._asdict() for channel, reason in reasons.items() if reason},
    }


class MyPreferences(Resource):
    @endpoint(summary="Get my notification preferences", who=SIGNED_IN, response=schemas.Preferences())
    def get(self, actor: Actor) -> ApiResponse:
        """The default is email only."""
        return versioned_by_content(_read(actor.account_id))

    @endpoint(
        summary="Update my notification preferences",
        who=SIGNED_IN,
        body=schemas.Preferences(),
        response=schemas.Preferences(),
        errors=(Invalid, Stale),
    )
    def put(self, actor: Actor, *, body: schemas.PreferencesData) -> ApiResponse:
        """Replaces all preferences except ``kinds``, which are kept if omitted.

        Messages are sent on the first channel that works. Emails about the account are always sent.
        """
        lock_and_check(lambda: _read(actor.account_id), lock=lambda: account_actions.hold(actor.account_id))
        quiet = body["quiet_hours"]
        choice = Choice(
            channels=tuple(body["channels"]),
            gchat_webhook=body["gchat_webhook"],
            quiet_hours={"from": quiet["begin"], "to": quiet["end"]} if quiet else None,
            kinds=body["kinds"] or {},
            chat_id=body["chat_id"],
        )
        preferences.choose(actor.account_id, choice, keeps_kinds=body["kinds"] is None)
        return versioned_by_content(_read(actor.account_id))


def _read(account_id: int) -> JsonObject:
    return present(account_id, preferences.get(account_id))
