"""Channels: each sends a message and reports the result by returning or raising."""

from collections.abc import Callable
from typing import Final

from backend.domain.notifications.channels import gchat, mail, sms
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage, PutOff, Refused

__all__ = ["SENDERS", "NotReachable", "OutboundMessage", "PutOff", "Refused"]

SENDERS: Final[dict[str, Callable[[OutboundMessage], str]]] = {"mail": mail.send, "gchat": gchat.send, "sms": sms.send}
