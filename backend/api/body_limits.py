"""Bodies as they come in: callers who send slowly, or fall silent, must not hold every thread that answers others."""

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

SHARE: Final = 0.75  # of the threads: the others read calls that bring no body, health checks among them
PLACE_SECONDS: Final = 0.3  # a body that is there takes microseconds, even where a machine is busy far less than this
PIECE_BYTES: Final = 64 << 10  # the web server itself reads on as much
OF_ONE_CALLER: Final = 3  # one caller's network gets one in so many of the places
FULL_SECONDS: Final = 10.0  # refusing for so long is worth an alarm
HEARD_OUT_BYTES: Final = 64 << 20
HEARD_OUT_SECONDS: Final = 5.0


class Input(Protocol):
    """What the web server reads from. It waits for ever, and gives less than was asked for only at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Places:
    """The places for bodies that are waited for: so many in all, and a third of them for one caller's network."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._each = max(1, most // OF_ONE_CALLER)
        self._waiting: Counter[str] = Counter()
        self._change = threading.Condition()
        self._full_since: float | None = None

    @contextmanager
    def taken(self, network: str, *, seconds: float) -> Iterator[bool]:
        """Take a place within the time given, for as long as the block runs; False when there was none."""
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
        """Raise Problem when callers have been refused for a while: too many bodies are waited for."""
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


class Bodies:
    """Lets only some of the ``threads`` wait for bodies at a time."""

    def __init__(self, wsgi_app: "WSGIApplication", *, threads: int) -> None:
        self._next = wsgi_app
        self.places = Places(int(threads * SHARE))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not environ.get("wsgi.input_terminated") or not (is_chunked or length.strip("0")):
            return self._next(environ, start_response)
        body = environ["wsgi.input"] = Body(
            environ["wsgi.input"], self.places, prefixes(environ.get("REMOTE_ADDR")).near
        )
        answer = self._next(environ, start_response)
        is_small = not is_chunked and length.isdigit() and int(length) <= PIECE_BYTES
        return answer if is_small or body.ended else body.heard_out(answer)


class Body:
    """The body of one call."""

    def __init__(self, source: Input, places: Places, network: str) -> None:
        self._source, self._places, self._network = source, places, network
        self.ended = False

    def read(self, size: int | None = -1) -> bytes:
        """Return so much at most, or all. Raises Unavailable while too many bodies are still being sent."""
        wanted = -1 if size is None else size
        with self._places.taken(self._network, seconds=PLACE_SECONDS) as is_taken:
            if not is_taken:
                raise Unavailable("Too many uploads are in progress. Try again in a moment.", retry_after=1)
            data = self._source.read(wanted)
        self.ended = wanted < 0 or len(data) < wanted
        return data

    def heard_out(self, answer: Iterable[bytes]) -> Iterator[bytes]:
        """The answer at once; then read on what is still being sent, within reason (RFC 9112, 9.6).

        Many clients listen only once they have said all: refused in the middle, they find a broken connection.
        """
        try:
            yield from answer
        finally:
            if hasattr(answer, "close"):
                answer.close()
        with self._places.taken(self._network, seconds=0) as is_taken:
            left, until = HEARD_OUT_BYTES if is_taken else 0, time.monotonic() + HEARD_OUT_SECONDS
            while left > 0 and time.monotonic() < until and (piece := self._source.read(PIECE_BYTES)):
                left -= len(piece)
