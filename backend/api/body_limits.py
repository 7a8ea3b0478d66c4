"""Limits on request bodies that arrive slowly, so that slow clients cannot occupy every thread."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from backend.core.errors import Unavailable
from backend.core.observability import metrics
from backend.core.observability.health import Problem
from backend.core.security.client_networks import prefixes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHARE_OF_THREADS: Final = 0.75  # the others stay free for requests without a body, such as health checks
SLOT_WAIT_SECONDS: Final = 0.3  # a body that has arrived is read in microseconds, so a full pool means slow clients
CHUNK_BYTES: Final = 64 << 10  # the web server itself drains this much
NETWORKS_SERVED: Final = 3  # the networks that can wait at a time: each gets an equal share of the slots
FULL_SECONDS: Final = 10.0  # rejecting bodies for this long is reported as a problem
DRAIN_BYTES: Final = 64 << 20
DRAIN_SECONDS: Final = 5.0


class Input(Protocol):
    """The web server's input stream: blocks without a timeout, and returns less than requested only at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class BodySlots:
    """Slots for request bodies being read: limited in total, and to a third of them per client network."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._each = max(1, most // NETWORKS_SERVED)
        self._waiting: Counter[str] = Counter()
        self._change = threading.Condition()
        self._full_since: float | None = None

    @contextmanager
    def acquire(self, network: str, *, seconds: float) -> Iterator[bool]:
        """Hold a slot while the block runs. Yield False if none became free within ``seconds``."""
        with self._change:
            is_taken = self._change.wait_for(lambda: self._has_room(network), timeout=seconds)
            if is_taken:
                self._waiting[network] += 1
                self._note()
        try:
            yield is_taken
        finally:
            if is_taken:
                with self._change:
                    self._waiting[network] -= 1
                    self._waiting += Counter()  # drops those at zero
                    self._note()
                    self._change.notify_all()

    def check(self) -> None:
        """Raise Problem if bodies have been rejected for ``FULL_SECONDS``."""
        with self._change:
            full_since, waiting = self._full_since, self._waiting.total()
        if full_since is not None and time.monotonic() - full_since >= FULL_SECONDS:
            raise Problem(
                f"{waiting} request bodies are still arriving; further ones from the same clients are rejected"
            )

    def _has_room(self, network: str) -> bool:
        return self._waiting.total() < self._most and self._waiting[network] < self._each

    def _note(self) -> None:
        total = self._waiting.total()
        metrics.bodies_waiting(total)
        if total < self._most and max(self._waiting.values(), default=0) < self._each:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = time.monotonic()


class BodyLimitMiddleware:
    """WSGI middleware that lets only a share of the ``threads`` wait for request bodies."""

    def __init__(self, wsgi_app: "WSGIApplication", *, threads: int) -> None:
        self._next = wsgi_app
        self.slots = BodySlots(int(threads * SHARE_OF_THREADS))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not environ.get("wsgi.input_terminated") or not (is_chunked or length.strip("0")):
            return self._next(environ, start_response)
        body = environ["wsgi.input"] = Body(
            environ["wsgi.input"], self.slots, prefixes(environ.get("REMOTE_ADDR")).near
        )
        response = self._next(environ, start_response)
        is_small = not is_chunked and length.isdigit() and int(length) <= CHUNK_BYTES
        return response if is_small or body.ended else body.drain_after(response)


class Body:
    """The body of one request, read while holding a slot."""

    def __init__(self, source: Input, slots: BodySlots, network: str) -> None:
        self._source, self._slots, self._network = source, slots, network
        self.ended = False

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes, or the whole body.

        Raises:
            Unavailable: No slot is free.
        """
        wanted = -1 if size is None else size
        with self._slots.acquire(self._network, seconds=SLOT_WAIT_SECONDS) as is_taken:
            if not is_taken:
                raise Unavailable("Too many uploads are in progress. Try again in a moment.", retry_after=1)
            data = self._source.read(wanted)
        self.ended = wanted < 0 or len(data) < wanted
        return data

    def drain_after(self, response: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the response, then drain what the client is still sending, up to a limit (RFC 9112, 9.6).

        Many clients read the response only after sending the whole body, and would see a reset connection instead.
        """
        try:
            yield from response
        finally:
            if hasattr(response, "close"):
                response.close()
        with self._slots.acquire(self._network, seconds=0) as is_taken:
            left, deadline = DRAIN_BYTES if is_taken else 0, time.monotonic() + DRAIN_SECONDS
            while left > 0 and time.monotonic() < deadline and (chunk := self._source.read(CHUNK_BYTES)):
                left -= len(chunk)
