"""An SMTP server that keeps the mails it receives."""

import email
import email.policy
import re
import threading
import time
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import Session as SmtpSession

from backend.launch.private_files import free_port
from tests.waiting import HANG_SECONDS


class Inbox:
    """All mails that were sent. Set ``answer`` to reject new ones."""

    def __init__(self) -> None:
        self.answer = "250 Kept"
        self._mails: list[tuple[list[str], EmailMessage]] = []
        self._changed = threading.Condition()
        self.port = free_port(None)
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.answer.startswith("2"):
            content = envelope.original_content or b""
            mail = email.message_from_bytes(content, policy=email.policy.default)
            with self._changed:
                self._mails.append((list(envelope.rcpt_tos), mail))
                self._changed.notify_all()
        return self.answer

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address, oldest first."""
        with self._changed:
            return [mail for receivers, mail in self._mails if address in receivers]

    def wait_for(self, address: str, *, subject: str, seconds: float = HANG_SECONDS) -> EmailMessage:
        """Return the first mail to the address whose subject contains the text; fail if none arrives in time."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                for receivers, mail in self._mails:
                    if address in receivers and subject.lower() in str(mail["Subject"]).lower():
                        return mail
                if not self._changed.wait(limit - time.monotonic()):
                    seen = [str(mail["Subject"]) for receivers, mail in self._mails if address in receivers]
                    raise AssertionError(f"no mail with {subject!r} to {address}; came: {seen}")


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(preferencelist=("plain",))
    assert part is not None, "a mail without a plain part"
    return str(part.get_content())


def links_in(mail: EmailMessage) -> list[str]:
    """Return the URLs in the plain text of a mail."""
    return re.findall(r"https?://[^\s<>\"]+", text_of(mail))
