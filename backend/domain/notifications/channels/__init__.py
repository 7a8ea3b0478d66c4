"""Channels: each sends a message and returns what the provider responded.

All of them raise NotReachable, PermanentFailure (the provider rejects the message) or RetryLater (the provider is
unavailable, slow or busy; ``counts_as_attempt=False`` when it was not contacted).
"""

from collections.abc import Callable
from typing import Final

from backend.domain.notifications.channels import chat, gchat, mail, push, sms
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage

__all__ = ["SENDERS", "NotReachable", "OutboundMessage"]

SENDERS: Final[dict[str, Callable[[OutboundMessage], str]]] = {
    "mail": mail.send,
    "gchat": gchat.send,
    "sms": sms.send,
    "push": push.send,
    "chat": chat.send,
}
