"""The ways a message goes: each takes a parcel, and says what became of it by returning or raising."""

from collections.abc import Callable
from typing import Final

from backend.domain.notifications.channels import gchat, mail, sms
from backend.domain.notifications.channels.message import NotReachable, Parcel, PutOff, Refused

__all__ = ["SENDERS", "NotReachable", "Parcel", "PutOff", "Refused"]

SENDERS: Final[dict[str, Callable[[Parcel], str]]] = {"mail": mail.send, "gchat": gchat.send, "sms": sms.send}
