"""The message that a channel sends, and the three ways in which sending can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to one recipient, ready to send."""

    delivery_id: int
    kind: str
    message_id: str
    contact: Contact
    said: Message
    words: RenderedMessage
    params: Mapping[str, Any]


class NotReachable(Exception):
    """The recipient cannot be reached by this channel: no number, no webhook, or the channel is not set up."""


class Refused(Exception):
    """The provider rejects this message permanently."""


class PutOff(Exception):
    """The provider is unavailable, slow or busy: try later. ``tried=False`` means that it was not contacted."""

    def __init__(self, reason: str, *, after_seconds: int | None = None, tried: bool = True) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.tried = tried
