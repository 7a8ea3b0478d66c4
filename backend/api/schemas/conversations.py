"""Conversations: messages written and listed, and reports."""

from typing import TypedDict

from marshmallow import fields, validate
from werkzeug.datastructures import FileStorage

from backend.api.schemas.common import (
    DateTimeField,
    Flag,
    Id,
    Reason,
    ReasonData,
    Strict,
    StrictInteger,
    Text,
    Upload,
    Window,
    WindowData,
)
from backend.api.schemas.task_requests import STATUSES

ROLES = ["customer", "professional"]
ORDERS = ["oldest", "newest"]


class MessageQuery(Window):
    """The page of a conversation.

    ``professional_id`` is needed where the request has several conversations. ``order``: ``newest`` begins with the
    last message, and further pages go back.
    """

    professional_id = Id(load_default=None)
    order = fields.String(load_default="oldest", validate=validate.OneOf(ORDERS))


class MessageQueryData(WindowData):
    """The loaded :class:`MessageQuery`."""

    professional_id: int | None
    order: str


class NewMessage(Strict):
    """A message. ``professional_id`` is needed where the request has several conversations."""

    body = Text(max=2000, multiline=True, required=True)
    professional_id = Id(load_default=None, allow_none=True)


class NewMessageData(TypedDict):
    """The loaded :class:`NewMessage`."""

    body: str
    professional_id: int | None


class NewPhotoMessage(Strict):
    """A message as a form, whose text may be empty if it has a photo.

    ``photo``: a JPEG, PNG, WebP or HEIC file of at most 5 MiB and 25 megapixels. ``professional_id`` is needed where
    the request has several conversations.
    """

    photo = Upload(load_default=None)
    body = Text(min=0, max=2000, multiline=True, load_default="")
    professional_id = Id(load_default=None)


class NewPhotoMessageData(NewMessageData):
    """The loaded :class:`NewPhotoMessage`."""

    photo: FileStorage | None


class Message(Strict):
    """A message. ``masked``: contact details in it were hidden. ``read``: the other side has read it.

    ``photo_id``: the photo in it, while it is kept. The text of a message with a photo may be empty.
    """

    id = Id(required=True)
    author_id = Id(required=True)
    author_role = fields.String(required=True, validate=validate.OneOf(ROLES))
    body = fields.String(required=True)
    masked = fields.Boolean(required=True)
    created_at = DateTimeField(required=True)
    read = fields.Boolean(required=True)
    photo_id = Id(required=True, allow_none=True)


class MarkMessagesRead(Strict):
    """The last message that was read. ``professional_id`` is needed where the request has several conversations."""

    up_to = Id(required=True)
    professional_id = Id(load_default=None, allow_none=True)


class MarkMessagesReadData(TypedDict):
    """The loaded :class:`MarkMessagesRead`."""

    up_to: int
    professional_id: int | None


class UnreadMessages(Strict):
    """The number of unread messages in the conversation."""

    unread_count = StrictInteger(required=True)


class ConversationReportReason(Reason):
    """Why a conversation is reported. ``professional_id`` is needed where the request has several conversations."""

    professional_id = Id(load_default=None, allow_none=True)


class ConversationReportReasonData(ReasonData):
    """The loaded :class:`ConversationReportReason`."""

    professional_id: int | None


class ConversationOfRequest(Strict):
    """A conversation about a request. ``open``: both sides can write; ``closes_at`` is None until the request ends.

    ``photos``: messages can have photos.
    """

    professional_id = Id(required=True)
    professional_firstname = fields.String(required=True)
    compname = fields.String(required=True)
    customer_firstname = fields.String(required=True)
    unread_count = StrictInteger(required=True)
    last_message_at = DateTimeField(required=True, allow_none=True)
    open = fields.Boolean(required=True)
    closes_at = DateTimeField(required=True, allow_none=True)
    photos = fields.Boolean(required=True)
    reported = fields.Boolean(required=True)


class ConversationsOfRequest(Strict):
    """The conversations about a request, those that are open first."""

    items = fields.List(fields.Nested(ConversationOfRequest), required=True)


class ConversationQuery(Window):
    """Filters of the user's conversations."""

    unread = Flag(load_default=0)


class ConversationQueryData(WindowData):
    """The loaded :class:`ConversationQuery`."""

    unread: int


class ConversationSummary(Strict):
    """A conversation in a list. ``current``: its professional is on the request, so that the request can be viewed."""

    request_id = Id(required=True)
    professional_id = Id(required=True)
    task_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    current = fields.Boolean(required=True)
    customer_firstname = fields.String(required=True)
    professional_firstname = fields.String(required=True)
    compname = fields.String(required=True)
    last_body = fields.String(required=True)
    last_author_role = fields.String(required=True, validate=validate.OneOf(ROLES))
    last_message_at = DateTimeField(required=True)
    unread_count = StrictInteger(required=True)


class Conversations(Strict):
    """A page of conversations, and the number of unread messages in all of them."""

    items = fields.List(fields.Nested(ConversationSummary), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    unread_count = StrictInteger(required=True)


class ConversationReportQuery(Window):
    """Filters of reports."""

    settled = Flag(load_default=0)


class ConversationReportQueryData(WindowData):
    """The loaded :class:`ConversationReportQuery`."""

    settled: int


class ConversationReport(Strict):
    """A report of a conversation. Admins can read the conversation until the report is settled."""

    id = Id(required=True)
    request_id = Id(required=True)
    professional_id = Id(required=True)
    customer_id = Id(required=True)
    reporter_id = Id(required=True)
    reporter_role = fields.String(required=True, validate=validate.OneOf(ROLES))
    reason = fields.String(required=True)
    created_at = DateTimeField(required=True)
    settled_at = DateTimeField(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    task_name = fields.String(required=True)
    customer_firstname = fields.String(required=True)
    professional_firstname = fields.String(required=True)
    compname = fields.String(required=True)


class Settlement(Strict):
    """What was done about a report."""

    note = Text(min=0, max=500, multiline=True, load_default=None, allow_none=True)


class SettlementData(TypedDict):
    """The loaded :class:`Settlement`."""

    note: str | None
