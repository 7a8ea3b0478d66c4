"""SMTP and HTTP servers on loopback that fail on demand."""

import email
import json
import socket
import threading
import time
from asyncio import Transport
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.waiting import HANG_SECONDS


@dataclass
class SmtpServer:
    """Keep received mails. ``answers`` holds responses to addresses at RCPT, ``after_data`` returns one after a mail.

    ``starttls`` and ``smtps`` are TLS contexts, used after STARTTLS or from the first byte; with either the server
    requires a password and records it.
    """

    mails: list[tuple[str, Message]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    after_data: Callable[[str], str | None] = lambda _: None
    delay: float = 0.0
    drop_after_data: bool = False
    connections: int = 0
    noops: int = 0
    passwords: list[str] = field(default_factory=list)
    starttls: SSLContext | None = None
    smtps: SSLContext | None = None
    controller: Any = None

    @property
    def port(self) -> int:
        return int(self.controller.port)

    def to(self, address: str) -> list[Message]:
        """Return the mails to an address."""
        return [mail for receiver, mail in self.mails if receiver == address]

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        time.sleep(self.delay)  # noqa: ASYNC251 - the whole server must be slow
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        for address in envelope.rcpt_tos:
            if (answer := self.after_data(address)) is not None:
                return answer
            self.mails.append((address, email.message_from_bytes(content)))
        if self.drop_after_data:
            cast("Transport", server.transport).abort()
        return "250 taken"

    async def handle_NOOP(  # noqa: N802 - the same
        self, server: SMTP, session: Session, envelope: Envelope, argument: str
    ) -> str:
        self.noops += 1
        return "250 OK"

    def close_connections(self) -> None:
        """Close the open connections, as a server does with idle ones."""
        self.controller.close_connections()

    def start(self, port: int = 0) -> None:
        """Listen; port 0 finds a free one."""
        self.controller = _Controller(
            self, hostname="127.0.0.1", port=port or free_port(), ready_timeout=10, ssl_context=self.smtps
        )
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


class _Controller(Controller):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._made: list[SMTP] = []

    def factory(self) -> SMTP:
        server: SmtpServer = self.handler
        options: dict[str, Any] = {}
        if server.starttls or server.smtps:

            def authenticate(*arguments: Any) -> AuthResult:
                server.passwords.append(arguments[-1].password.decode())
                return AuthResult(success=True)

            options = {"tls_context": server.starttls, "authenticator": authenticate}
            # With SMTPS the TLS is the transport's, and aiosmtpd does not count it.
            options |= {"require_starttls": server.smtps is None, "auth_require_tls": server.smtps is None}
        self._made.append(SMTP(server, hostname="mail.test", enable_SMTPUTF8=True, **options))
        return self._made[-1]

    def stop(self, no_assert: bool = False) -> None:
        """Close all connections first, as aiosmtpd leaves those open whose TLS handshake failed."""
        self.close_connections()
        super().stop(no_assert)

    def close_connections(self) -> None:
        closed = threading.Event()

        def close_connections() -> None:
            for smtp in self._made:
                for transport in (smtp.transport, smtp._original_transport):
                    if transport is not None:
                        cast("Transport", transport).abort()
            self.loop.call_soon(self.loop.call_soon, self.loop.call_soon, closed.set)

        self.loop.call_soon_threadsafe(close_connections)
        closed.wait(5)

    def _trigger_server(self) -> None:
        """Open the first connection, which creates the server, without TLS, as the controller trusts no certificate."""
        socket.create_connection((self.hostname, self.port), timeout=5).close()


@dataclass
class Post:
    """One call that a web server received."""

    path: str
    body: Any
    at: float
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class WebServer:
    """Respond with 200 and JSON, or with the status, headers and body of ``answer``, after ``hang`` seconds."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answer: Callable[[int], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"{}")
        self.hang = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                is_json = bool(raw) and "json" in self.headers.get("Content-Type", "")
                body = json.loads(raw) if is_json else None
                outer.posts.append(Post(self.path, body, time.monotonic(), raw, dict(self.headers)))
                time.sleep(outer.hang)
                status, headers, body = outer.answer(len(outer.posts))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=HANG_SECONDS)


def free_port() -> int:
    """Return a port that is currently free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
