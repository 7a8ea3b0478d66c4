"""The message that a channel sends, and the error of a recipient who cannot be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from backend.core.errors import PermanentFailure
from backend.domain.notifications.messages import Message, RenderedMessage


@dataclass(frozen=True, slots=True)
class Contact:
    """The contact details of a recipient."""

    account_id: int
    firstname: str
    email: str
    email_confirmed: bool
    phone: str | None
    phone_verified: bool
    gchat_webhook: str | None
    language: str
    chat_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to one recipient, ready to send."""

    delivery_id: int
    kind: str
    message_id: str
    contact: Contact
    message: Message
    words: RenderedMessage
    params: Mapping[str, object]
    request_id: int | None = None


class Reason(NamedTuple):
    """Why an account gets nothing by a channel: a code for clients, a sentence for the account's owner."""

    code: str
    message: str


class NotReachable(PermanentFailure):
    """The recipient cannot be reached by this channel: no number, no webhook, or the channel is not set up."""
