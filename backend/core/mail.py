"""Sending email: Flask-Mail on one reused, verified connection, or files in DATA_DIR/mail without a server."""

import os
import secrets
import smtplib
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy
from email.charset import QP, Charset
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

from flask import Flask, current_app
from flask_mail import Connection, Mail, Message, sanitize_address

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import PermanentFailure, RetryLater
from backend.settings import Settings

KEPT_SECONDS: Final = 30.0
MAILS_A_CONNECTION: Final = 100
KEPT_FILES: Final = timedelta(days=7)
LONGEST_LINE: Final = 900  # RFC 5322 allows 998


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is attached to an email."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Email:
    """One email to one recipient."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class _Policy(policy.Compat32):
    """Writes short ASCII headers as they are; folding each of them is up to a tenth of the cost of an email."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if len(value) + len(name) < LONGEST_LINE and value.isascii() and "\n" not in value and "\r" not in value:
            return f"{name}: {value}{self.linesep}".encode()
        folded: bytes = super().fold_binary(name, value)
        return folded


# The newer policies parse every header on each access, which is up to a third of the cost of an email.
POLICY: Final = _Policy(max_line_length=LONGEST_LINE, linesep="\r\n")


class _Message(Message):
    """Flask-Mail's message as SMTP needs it: 7 bit, short lines, and long addresses in headers unbroken."""

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        content = text or ""
        short = all(len(line) <= LONGEST_LINE for line in content.splitlines())
        encoded = Charset("utf-8")
        encoded.body_encoding = None if content.isascii() and short else QP  # type: ignore[assignment]  # None: as it is
        return MIMEText(content, _subtype=subtype, _charset=encoded)  # type: ignore[arg-type]  # a Charset is taken too

    def _message(self) -> MIMEBase:
        message = super()._message()
        message.policy = POLICY
        for part in message.walk():
            if part.is_multipart():  # without a boundary, all contents would be searched for one that is free
                part.set_boundary(f"=_{secrets.token_hex(16)}")
        return message


class _Smtp(smtplib.SMTP):
    """Remembers whether an email's content was sent, which decides whether it may be sent again at once."""

    has_sent_data = False

    def sendmail(self, *args: Any, **kwargs: Any) -> Any:
        self.has_sent_data = False
        return super().sendmail(*args, **kwargs)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.has_sent_data = True
        return super().data(msg)


class _SmtpSsl(_Smtp, smtplib.SMTP_SSL):
    """The same over TLS from the start."""


class _Limited(Connection):
    """Flask-Mail's connection with a time limit and verification of the server's certificate.

    smtplib's default TLS contexts accept any certificate. This one requires a valid certificate for the server's name,
    on loopback too, before the password or an email is sent.
    """

    def __init__(self, mail: Mail, timeout: float, ca_file: Path | None) -> None:
        super().__init__(mail)
        self._timeout = timeout
        self._ca_file = ca_file

    def was_closed_before(self, error: Exception) -> bool:
        """Return whether the server had closed the connection before this email's content was sent.

        smtplib reports a server that did not answer in time as disconnected; a new connection would wait as long.
        """
        if isinstance(error.__context__, TimeoutError):
            return False
        is_closed = isinstance(error, (smtplib.SMTPServerDisconnected, ConnectionError)) or (
            isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code == 421
        )
        return is_closed and isinstance(self.host, _Smtp) and not self.host.has_sent_data

    def configure_host(self) -> smtplib.SMTP:
        server, port = self.mail.server, self.mail.port
        if self.mail.use_ssl:
            host: _Smtp = _SmtpSsl(server, port, timeout=self._timeout, context=self._context())
        else:
            host = _Smtp(server, port, timeout=self._timeout)
        try:
            if self.mail.use_tls:
                host.starttls(context=self._context())
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def _context(self) -> ssl.SSLContext:
        """Create the TLS context per connection, so that a renewed CA file is used without a restart."""
        return ssl.create_default_context(cafile=self._ca_file)


class Mailer:
    """Sends emails one after the other and keeps the connection for a while, so that a batch needs only one."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        app.config.update(
            MAIL_SERVER=settings.mail_server,
            MAIL_PORT=settings.mail_port,
            MAIL_USE_TLS=settings.mail_use_tls,
            MAIL_USE_SSL=settings.mail_use_ssl,
            MAIL_USERNAME=settings.mail_username or None,
            MAIL_PASSWORD=settings.mail_password or None,
            MAIL_DEFAULT_SENDER=settings.mail_default_sender,
            MAIL_SUPPRESS_SEND=False,
        )
        Mail(app)
        self._state = app.extensions["mail"]
        self._timeout = settings.mail_timeout_seconds
        self._ca_file = settings.mail_ca_file
        self._folder = None if settings.mail_server else settings.data_dir / "mail"
        self._lock = threading.Lock()
        self._connection: _Limited | None = None
        self._used_at = 0.0
        self._pid = 0

    def send(self, letter: Email) -> str:
        """Send the email and return the server's response.

        Raises:
            PermanentFailure: The server rejected this email (5xx).
            RetryLater: The server is unavailable or does not accept the email at present.
        """
        message = _message(letter)
        if self._folder is not None:
            return _keep(self._folder, letter, message.as_bytes())
        with self._lock:
            try:
                self._deliver(message)
            except smtplib.SMTPRecipientsRefused as error:
                code, reply = next(iter(error.recipients.values()))
                raise _failure(code, reply) from error
            except smtplib.SMTPResponseException as error:
                self._forget()
                raise _failure(error.smtp_code, error.smtp_error) from error
            except ssl.SSLCertVerificationError as error:
                self._forget()
                raise RetryLater(
                    f"The mail server's certificate could not be verified: {error.verify_message}. See MAIL_CA_FILE."
                ) from error
            except (smtplib.SMTPException, OSError) as error:
                self._forget()
                raise RetryLater(f"{type(error).__name__}: {error}") from error
            self._used_at = time.monotonic()
            return "250 accepted"

    def _deliver(self, message: _Message) -> None:
        """Send on the kept connection, or on a new one if the server has closed that meanwhile."""
        kept = self._kept()
        try:
            (kept or self._connect()).send(message)
        except (smtplib.SMTPException, OSError) as error:
            if kept is None or not kept.was_closed_before(error):
                raise
            self._connect().send(message)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._forget()

    def _kept(self) -> _Limited | None:
        is_fresh = time.monotonic() - self._used_at < KEPT_SECONDS and self._pid == os.getpid()
        connection = self._connection
        return connection if connection and is_fresh and connection.num_emails < MAILS_A_CONNECTION else None

    def _connect(self) -> _Limited:
        self._forget()
        connection = _Limited(self._state, self._timeout, self._ca_file)
        connection.__enter__()
        self._connection, self._pid = connection, os.getpid()
        return connection

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.host is not None:
            connection.host.close()


def init_app(app: Flask, settings: Settings) -> None:
    """Register the mailer with the application."""
    app.extensions["mailer"] = Mailer(app, settings)


def send(letter: Email) -> str:
    """Send an email through the mailer of the current application."""
    mailer: Mailer = current_app.extensions["mailer"]
    return mailer.send(letter)


def _message(letter: Email) -> _Message:
    message = _Message(
        subject=" ".join(letter.subject.split()),
        recipients=[letter.to],
        body=letter.text,
        html=letter.html,
        extra_headers={"Auto-Submitted": "auto-generated", **letter.headers},
    )
    message.msgId = letter.message_id
    for one in letter.attachments:
        message.attach(one.name, one.content_type, one.content)
    return message


def _failure(code: int, reply: bytes | str) -> PermanentFailure | RetryLater:
    """Return the error for an SMTP status: 5xx is permanent, everything else temporary."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    line = f"{code} {' '.join(text.split())}"[:300]
    return PermanentFailure(line) if 500 <= code < 600 else RetryLater(line)


def _keep(folder: Path, letter: Email, content: bytes) -> str:
    """Write the email as one file named by its Message-ID, atomically; a repeated email replaces the first."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = "".join(char for char in letter.message_id.strip("<>").split("@")[0] if char.isalnum() or char in "-_.")
    partial = folder / f".{name}.{os.getpid()}"
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / f"{name}.eml")
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RetryLater(f"The email could not be saved: {error.strerror}") from error
    return f"Saved as {name}.eml"


def drop_old_files() -> int:
    """Delete email files older than a week, which contain password reset links, and return how many."""
    oldest = now().timestamp() - KEPT_FILES.total_seconds()
    dropped = 0
    for path in (current_settings().data_dir / "mail").glob("*.eml"):
        with suppress(FileNotFoundError):  # another process was faster
            if path.stat().st_mtime < oldest:
                path.unlink()
                dropped += 1
    return dropped


def is_usable(address: str) -> bool:
    """Return whether an email can be used as an envelope address."""
    try:
        name, found = parseaddr(sanitize_address(address))
    except (UnicodeError, ValueError):
        return False
    return not name and "@" in found and not any(char.isspace() for char in found)
