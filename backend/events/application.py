"""The ASGI application: GET /events and GET /healthz."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final, NotRequired, TypedDict

import orjson
import structlog

from backend.core.accept_language import preferred
from backend.core.clock import now
from backend.core.events.protocol import WEB_PATH, Message
from backend.core.observability import metrics, tracing
from backend.core.security.headers import SECURITY_HEADERS, STRICT_TRANSPORT
from backend.core.sentences import translated
from backend.core.text_tables import DEFAULT
from backend.events.access import AccessCheck, Refusal, WebUnavailable
from backend.events.changes import Changes
from backend.events.streams import Limits, Stream, Streams, TooManyStreams
from backend.settings import Settings

log = structlog.get_logger(__name__)
Receive = Callable[[], Awaitable[Mapping[str, object]]]
Send = Callable[[Mapping[str, object]], Awaitable[None]]
SLOW_SECONDS: Final = 10.0  # a client that takes nothing for this long is dropped
PINGED_AT_ONCE: Final = 10
PING_SECONDS: Final = 15  # well below the timeouts of proxies, which are a minute and more
RETRY_AFTER: Final = "5"
STREAM_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


class Scope(TypedDict):
    """What is read of a connection's scope (ASGI 3.0, HTTP)."""

    type: str
    path: str
    method: str
    headers: Iterable[tuple[bytes, bytes]]
    client: NotRequired[tuple[str, int] | None]


class Problem(Exception):
    """A response of application/problem+json (RFC 9457)."""

    def __init__(
        self, status: int, code: str, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"type": f"/docs#{code}", "title": title, "status": status, "detail": detail, "code": code}
        self.headers = headers or {}

    def worded(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[Mapping[str, object], str]:
        """Return the body in the language that the call's headers ask for, and that language."""
        asked = b",".join(value for name, value in headers if name.lower() == b"accept-language")
        language = preferred(asked.decode("latin-1")) or DEFAULT
        said = {name: translated(str(self.body[name]), language) for name in ("title", "detail")}
        return {**self.body, **said}, language


def unavailable(detail: str, *, code: str = "unavailable") -> Problem:
    """Return the problem of a call that may be repeated later."""
    return Problem(503, code, "Service unavailable", detail, {"Retry-After": RETRY_AFTER})


class Application:
    """Serves streams until it is asked to drain."""

    def __init__(self, settings: Settings) -> None:
        self.streams = Streams(Limits(in_all=settings.events_streams, per_account=settings.events_streams_per_account))
        self.changes = Changes(settings, receive=self._receive, lost=self.streams.end_all)
        self._access = AccessCheck(settings.web_url)
        strict = [STRICT_TRANSPORT] if settings.over_tls else []
        self._headers = [*SECURITY_HEADERS.items(), *strict]
        self._is_draining = False

    def _receive(self, message: Message) -> None:
        self.streams.receive(message, now=monotonic())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._route(scope, receive, send)
        except Problem as problem:
            body, language = problem.worded(scope["headers"])
            headers = {
                "Content-Type": "application/problem+json",
                "Content-Language": language,
                "Vary": "Accept-Language",
                "Cache-Control": "no-store",
                **problem.headers,
            }
            await self._respond(send, problem.status, headers, orjson.dumps(body))
        except Refusal as refusal:
            await self._respond(send, refusal.status, refusal.headers, refusal.body)

    async def drain(self, *, seconds: float) -> None:
        """End all streams, and wait until they have ended."""
        self._is_draining = True
        self.streams.end_all()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.streams.wait_until_none(), seconds)

    async def ping(self) -> None:
        """Ping each stream every PING_SECONDS, until cancelled."""
        while True:
            await asyncio.sleep(1)
            await self.ping_due(now=monotonic())

    async def ping_due(self, *, now: float) -> None:
        """Ping the streams whose time has come, few at once: an event that comes meanwhile waits for those only."""
        due = self.streams.due_for_ping(now=now, every=PING_SECONDS)
        for first in range(0, len(due), PINGED_AT_ONCE):
            for stream in due[first : first + PINGED_AT_ONCE]:
                stream.ping()
            await asyncio.sleep(0)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/healthz":
            status = 200 if self.changes.is_connected and not self._is_draining else 503
            await self._respond(send, status, {"Content-Type": "text/plain"}, b"ok\n" if status == 200 else b"no\n")
        elif scope["path"] != WEB_PATH:
            raise Problem(404, "not_found", "Not found", "This address does not exist. Events are at /events.")
        elif scope["method"] != "GET":
            allowed = {"Allow": "GET"}
            raise Problem(405, "method_not_allowed", "Method not allowed", "Only GET is allowed here.", allowed)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        with tracing.call("GET", headers.get(b"traceparent"), route=WEB_PATH) as span:
            try:
                peer = (scope.get("client") or ("unknown", 0))[0]
                stream = await self._open(headers, peer=peer, trace=span.traceparent)
            except (Problem, Refusal) as error:
                span.responded(error.status)
                raise
            span.responded(200)  # it lasts for hours; what its opening took is what the span shows
        metrics.event_streams(len(self.streams))
        gone = asyncio.ensure_future(_disconnected(receive, stream))
        try:
            await send(_start(200, [*STREAM_HEADERS.items(), *self._headers]))
            await self._write(send, self.streams.opening(headers.get(b"last-event-id", "")))
            while not stream.is_ended:
                await stream.wake.wait()
                if text := self.streams.take(stream):
                    await self._write(send, text)
            if not gone.done():
                await self._write(send, self.streams.take(stream) + stream.last_words, more=False)
        except TimeoutError:
            metrics.event_stream_dropped()
            log.info("events.slow_reader_dropped", account_id=stream.access.account_id)
        finally:
            self.streams.close(stream)
            metrics.event_streams(len(self.streams))
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _open(self, headers: Mapping[bytes, str], *, peer: str, trace: str | None) -> Stream:
        self._require_changes()
        client = headers.get(b"x-forwarded-for", peer)
        try:
            access = await self._access.of(headers.get(b"authorization"), client=client, trace=trace)
        except WebUnavailable:
            raise unavailable("The web server that checks tokens does not respond. Try again in a moment.") from None
        self._require_changes()  # they may have been lost while the token was checked
        try:
            return self.streams.open(access, now=now().timestamp())
        except PermissionError:
            challenge = {"WWW-Authenticate": 'Bearer realm="doorstep"'}
            detail = "This session has ended. Sign in again."
            raise Problem(401, "session_ended", "Authentication required", detail, challenge) from None
        except TooManyStreams:
            detail = "Too many streams are open. Close some, or poll instead."
            raise unavailable(detail, code="too_many_streams") from None

    def _require_changes(self) -> None:
        if self._is_draining:
            raise unavailable("The server is shutting down. Try again in a moment.")
        if not self.changes.is_connected:
            raise unavailable("Changes cannot be followed at the moment. Poll instead, and try again later.")

    async def _respond(self, send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
        own = {name.lower() for name in headers}
        common = [(name, value) for name, value in self._headers if name.lower() not in own]
        await send(_start(status, [*headers.items(), *common, ("Content-Length", str(len(body)))]))
        await send({"type": "http.response.body", "body": body})

    async def _write(self, send: Send, text: bytes, *, more: bool = True) -> None:
        """Send. Raises TimeoutError if the client reads too slowly: the server holds no more than its socket does."""
        async with asyncio.timeout(SLOW_SECONDS):
            await send({"type": "http.response.body", "body": text, "more_body": more})


async def _disconnected(receive: Receive, stream: Stream) -> None:
    """End the stream when its client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end(retry_seconds=0.0)


def _start(status: int, headers: Iterable[tuple[str, str]]) -> Mapping[str, object]:
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}
