"""The user's devices that receive push notifications."""

from backend.api.auth import SIGNED_IN
from backend.api.endpoint import Resource, endpoint
from backend.api.responses import ApiResponse, JsonObject
from backend.api.schemas import push as schemas
from backend.api.schemas.common import Window, WindowData
from backend.core import web_push
from backend.core.db import pagination
from backend.core.db.pagination import Page
from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.security.authz import Actor
from backend.core.web_push import BrowserKeys
from backend.domain.accounts import actions as account_actions
from backend.domain.notifications import push_subscriptions
from backend.domain.notifications.push_subscriptions import Device


class MyPushKey(Resource):
    @endpoint(
        summary="Get the key for push notifications", who=SIGNED_IN, response=schemas.PushKey(), errors=(Conflict,)
    )
    def get(self, _: Actor) -> ApiResponse:
        """The key changes with SECRET_KEY. A browser that subscribed with another one has to subscribe again."""
        push_subscriptions.require_offered()
        return ApiResponse({"key": web_push.server_keys()[0].public})


class MyPushSubscriptions(Resource):
    @endpoint(
        summary="List my devices with push notifications",
        who=SIGNED_IN,
        query=Window(),
        response=schemas.PushSubscription(),
        paged=True,
    )
    def get(self, actor: Actor, *, query: WindowData) -> Page[JsonObject]:
        """Devices of active sessions, newest first."""
        page = push_subscriptions.page(actor.account_id, window=pagination.Window(**query))
        return Page([_present(device, actor) for device in page.items], page.next_cursor)

    @endpoint(
        summary="Turn on push notifications for this device",
        who=SIGNED_IN,
        body=schemas.NewPushSubscription(),
        response=schemas.PushSubscription(),
        status=201,
        errors=(Conflict, Invalid),
    )
    def post(self, actor: Actor, *, body: schemas.NewPushSubscriptionData) -> ApiResponse:
        """Belongs to the current session and ends with it. Repeating it for the same browser updates it."""
        account_actions.hold(actor.account_id)
        keys = BrowserKeys(**body["keys"])
        device = push_subscriptions.subscribe(actor, endpoint=body["endpoint"], keys=keys)
        return ApiResponse(_present(device, actor))


class MyPushSubscription(Resource):
    @endpoint(summary="Turn off push notifications for a device", who=SIGNED_IN, status=204, errors=(NotFound,))
    def delete(self, actor: Actor, subscription_id: int) -> None:
        """Nothing more is sent to the device."""
        push_subscriptions.remove(actor, subscription_id=subscription_id)


def _present(device: Device, actor: Actor) -> JsonObject:
    return {
        "id": device.id,
        "provider": device.provider,
        "user_agent": device.user_agent,
        "created_at": device.created_at,
        "current": int(device.session_id == actor.session_id),
    }
