"""What a channel is given, and the three ways in which it can fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.domain.notifications.messages import Message, RenderedMessage


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person can be reached."""

    account_id: int
    firstname: str
    email: str
    email_confirmed: bool
    phone: str | None
    phone_verified: bool
    gchat_webhook: str | None


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message ready to go to one person."""

    delivery_id: int
    kind: str
    message_id: str
    contact: Contact
    said: Message
    words: RenderedMessage
    params: Mapping[str, Any]


class NotReachable(Exception):
    """The person cannot be reached by this channel at all: no number, no webhook, not set up."""


class Refused(Exception):
    """The other side will never take this message."""


class PutOff(Exception):
    """Not now: the other side is away, slow or busy. ``tried=False``: it was not even asked this time."""

    def __init__(self, reason: str, *, after_seconds: int | None = None, tried: bool = True) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds
        self.tried = tried
