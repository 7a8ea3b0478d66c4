"""Devices that receive push notifications."""

from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Flag, Id, Strict


class PushKey(Strict):
    """The public key that browsers subscribe with (applicationServerKey), in base64url."""

    key = fields.String(required=True)


class SubscriptionKeys(Strict):
    """The keys of a browser's push subscription, in base64url."""

    p256dh = fields.String(required=True, validate=validate.Length(min=1, max=200))
    auth = fields.String(required=True, validate=validate.Length(min=1, max=100))


class SubscriptionKeysData(TypedDict):
    """The loaded :class:`SubscriptionKeys`."""

    p256dh: str
    auth: str


class NewPushSubscription(Strict):
    """A browser's push subscription, as `PushSubscription.toJSON()` returns it, without the expiration time."""

    endpoint = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    keys = fields.Nested(SubscriptionKeys, required=True)


class NewPushSubscriptionData(TypedDict):
    """The loaded :class:`NewPushSubscription`."""

    endpoint: str
    keys: SubscriptionKeysData


class PushSubscription(Strict):
    """A device that receives push notifications while its session lasts."""

    id = Id(required=True)
    provider = fields.String(required=True, metadata={"description": "Host that delivers messages to the browser"})
    user_agent = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    current = Flag(required=True, metadata={"description": "1 for the device of the current session"})
