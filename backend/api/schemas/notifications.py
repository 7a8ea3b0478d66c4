"""Notifications, and the delivery log."""

from typing import NotRequired, TypedDict

from marshmallow import ValidationError, fields, validate, validates_schema

from backend.api.schemas.common import DateTimeField, Flag, Id, Strict, Window, WindowData
from backend.domain.notifications import messages
from backend.domain.notifications.messages import KINDS
from backend.domain.notifications.preferences import CHANNELS

CHOICES = tuple(name for names in messages.CHOICES.values() for name in names)
STATES = ("waiting", "sent", "failed", "skipped")


class NotificationFilter(Window):
    """Filters of the user's notifications."""

    unread = Flag(load_default=None)


class NotificationFilterData(WindowData):
    """The loaded :class:`NotificationFilter`."""

    unread: int | None


class Notification(Strict):
    """One notification in the app. ``choices``: what its reader can do at once about a visit that is still to come."""

    id = Id(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    request_id = Id(required=True, allow_none=True)
    read = fields.Boolean(required=True)
    created_at = DateTimeField(required=True)
    choices = fields.List(fields.String(validate=validate.OneOf(CHOICES)), required=True)


class Notifications(Strict):
    """A page of notifications, and the total number of unread ones."""

    items = fields.List(fields.Nested(Notification), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    unread_count = fields.Integer(required=True)


class MarkRead(Strict):
    """The notifications to mark as read: by ids, or all."""

    ids = fields.List(Id(), validate=validate.Length(min=1, max=1000))
    all = fields.Boolean(truthy={True}, falsy={False})

    @validates_schema
    def one_of_both(self, data: dict[str, object], **_: object) -> None:
        if ("ids" in data) == bool(data.get("all")):
            raise ValidationError('Provide either ids or "all": true.', "ids")


class MarkReadData(TypedDict):
    """The loaded :class:`MarkRead`."""

    ids: NotRequired[list[int]]
    all: NotRequired[bool]


class UnreadCount(Strict):
    """The number of unread notifications."""

    unread_count = fields.Integer(required=True)


class DeliveryFilter(Window):
    """Filters of the delivery log."""

    account_id = Id(load_default=None)
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    kind = fields.String(load_default=None, validate=validate.OneOf(list(KINDS)))
    channel = fields.String(load_default=None, validate=validate.OneOf(CHANNELS))
    run_id = Id(load_default=None)


class DeliveryFilterData(WindowData):
    """The loaded :class:`DeliveryFilter`."""

    account_id: int | None
    state: str | None
    kind: str | None
    channel: str | None
    run_id: int | None


class Delivery(Strict):
    """One message on one channel. Its text is left out, because some contain secrets."""

    id = Id(required=True)
    account_id = Id(required=True)
    kind = fields.String(required=True)
    channel = fields.String(required=True)
    next_channels = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    attempts = fields.Integer(required=True)
    message_id = fields.String(required=True)
    error = fields.String(required=True, allow_none=True)
    request_id = Id(required=True, allow_none=True)
    run_id = Id(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    not_before = DateTimeField(required=True, allow_none=True)
    sent_at = DateTimeField(required=True, allow_none=True)


class Attempt(Strict):
    """One attempt of a delivery."""

    number = fields.Integer(required=True)
    at = DateTimeField(required=True)
    outcome = fields.String(required=True)
    detail = fields.String(required=True, allow_none=True)


class DeliveryWithAttempts(Delivery):
    """A delivery with its attempts."""

    tries = fields.List(fields.Nested(Attempt), required=True)
