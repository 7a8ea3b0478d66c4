"""Passes on a stream of live updates from the process that holds it, where no proxy sends /events to that process.

Each stream takes a thread of the web server until it ends. These threads come on top of WEB_THREADS, and their number
is limited; a stream that a proxy sends to the process takes none.
"""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from time import sleep
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app

from backend.core.errors import Unavailable
from backend.core.events.protocol import WEB_PATH
from backend.core.observability import health
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION: Final = "event_relay"
CONNECT_SECONDS: Final = 7.0  # longer than the process takes to check a token
SILENCE_SECONDS: Final = 60.0  # longer than the pauses between its comments
CHUNK_BYTES: Final = 8192
DRAIN_POLL_SECONDS: Final = 0.3
DROPPED: Final = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})
AWAY: Final = "Live updates are not available at the moment. Poll instead, and try again later."


class TooManyStreams(Unavailable):
    """This process passes on as many streams as it may."""

    code = "too_many_streams"


class Relay:
    """The streams that this process passes on."""

    def __init__(self, settings: Settings) -> None:
        self._url = urlsplit(settings.events_url)
        self._most = settings.events_relayed
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._taken = 0

    def response(self, headers: dict[str, str]) -> Response:
        """Return the process's own response. Raises Unavailable."""
        if not self._url.hostname:
            raise Unavailable(AWAY, retry_after=60)
        self._take_place()
        try:
            connection, found = self._connect(headers)
            passed_on = {name: value for name, value in found.getheaders() if name.lower() not in DROPPED}
            if found.status != 200 or connection.sock is None:
                with contextlib.closing(connection):
                    body = found.read()
                self._give_back()
                return Response(body, status=found.status, headers=passed_on)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._give_back()
            raise Unavailable(AWAY, retry_after=10) from error
        except BaseException:
            self._give_back()
            raise
        return Response(_Chunks(self, connection, found), status=200, headers=passed_on)

    def _connect(self, headers: dict[str, str]) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=CONNECT_SECONDS)
        try:
            connection.request("GET", WEB_PATH, headers=headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _take_place(self) -> None:
        with self._lock:
            if self._taken >= self._most:
                raise TooManyStreams("Too many streams are open. Close some, or poll instead.", retry_after=30)
            self._taken += 1

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1

    def begin(self, stream: socket.socket) -> None:
        """Note an open stream; the first one starts the thread that ends all of them at shutdown."""
        stream.settimeout(SILENCE_SECONDS)
        with self._lock:
            if not self._open:
                threading.Thread(target=self._end_at_shutdown, name="event-relay", daemon=True).start()
            self._open.add(stream)

    def end(self, stream: socket.socket) -> None:
        """Forget a stream."""
        with self._lock:
            self._open.discard(stream)
            self._taken -= 1

    def _end_at_shutdown(self) -> None:
        while True:
            sleep(DRAIN_POLL_SECONDS)
            with self._lock:
                if not self._open:
                    return
                if health.is_draining():
                    for stream in self._open:
                        with contextlib.suppress(OSError):
                            stream.shutdown(socket.SHUT_RDWR)


class _Chunks:
    """The body of a stream as it arrives."""

    def __init__(
        self, relay: Relay, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._relay = relay
        self._connection = connection
        self._response = response
        self._socket: socket.socket = connection.sock
        self._is_open = True
        relay.begin(self._socket)

    def __iter__(self) -> Iterator[bytes]:
        try:
            while chunk := self._response.read1(CHUNK_BYTES):
                yield chunk
        except (OSError, http.client.HTTPException):
            return  # the client sees the end of the stream, and comes back
        finally:
            self.close()

    def close(self) -> None:
        """End the stream. Called by the server when the client has gone, too."""
        if self._is_open:
            self._is_open = False
            self._relay.end(self._socket)
            self._response.close()
            self._connection.close()


class CallLimit:
    """Runs as many calls at the same time as WEB_THREADS says, while further threads only pass on streams.

    A call ends here when its response begins, so that a stream counts only until then.
    """

    def __init__(self, wsgi_app: "WSGIApplication", *, most: int) -> None:
        self._next = wsgi_app
        self._calls = threading.Semaphore(most)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with self._calls:
            return self._next(environ, start_response)


def guard(app: Flask, settings: Settings) -> None:
    """Limit calls where there are threads for streams."""
    if threads_for_streams(settings):
        limited = CallLimit(app.wsgi_app, most=settings.web_threads)
        app.wsgi_app = limited  # type: ignore[method-assign]  # Flask's own documented way to wrap it


def threads_for_streams(settings: Settings) -> int:
    """Return how many threads a web server process has in addition to WEB_THREADS."""
    return settings.events_relayed if settings.events_url else 0


def init_app(app: Flask, settings: Settings) -> None:
    """Create the relay of this process."""
    app.extensions[EXTENSION] = Relay(settings)


def response(headers: dict[str, str]) -> Response:
    """Return the stream for these request headers. Raises Unavailable."""
    relay: Relay = current_app.extensions[EXTENSION]
    return relay.response(headers)
