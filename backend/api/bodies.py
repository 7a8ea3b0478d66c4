"""Bodies as they come in: callers who send slowly, or fall silent, must not hold every thread that answers others."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from backend.core.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHARE: Final = 0.75  # of the threads: the others read calls that bring no body, health checks among them
PLACE_SECONDS: Final = 0.3  # a body that is there takes microseconds, even where a machine is busy far less than this
PIECE_BYTES: Final = 64 << 10  # the web server itself reads on as much
HEARD_OUT_BYTES: Final = 64 << 20
HEARD_OUT_SECONDS: Final = 5.0


class Input(Protocol):
    """What the web server reads from. It waits for ever, and gives less than was asked for only at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Bodies:
    """Lets only some of the ``threads`` wait for bodies at a time."""

    def __init__(self, wsgi_app: "WSGIApplication", *, threads: int) -> None:
        self._next = wsgi_app
        self._places = threading.BoundedSemaphore(max(1, int(threads * SHARE)))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not environ.get("wsgi.input_terminated") or not (is_chunked or length.strip("0")):
            return self._next(environ, start_response)
        body = environ["wsgi.input"] = Body(environ["wsgi.input"], self._places)
        answer = self._next(environ, start_response)
        is_small = not is_chunked and length.isdigit() and int(length) <= PIECE_BYTES
        return answer if is_small or body.ended else body.heard_out(answer)


class Body:
    """The body of one call."""

    def __init__(self, source: Input, places: threading.BoundedSemaphore) -> None:
        self._source, self._places = source, places
        self.ended = False

    def read(self, size: int | None = -1) -> bytes:
        """So much at most, or all. Raises Unavailable while too many others are still sending."""
        wanted = -1 if size is None else size
        if not self._places.acquire(timeout=PLACE_SECONDS):
            raise Unavailable("Too many others are still sending at this moment. Try again shortly.", retry_after=1)
        try:
            data = self._source.read(wanted)
        finally:
            self._places.release()
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
        if not self._places.acquire(blocking=False):
            return
        try:
            left, until = HEARD_OUT_BYTES, time.monotonic() + HEARD_OUT_SECONDS
            while left > 0 and time.monotonic() < until and (piece := self._source.read(PIECE_BYTES)):
                left -= len(piece)
        finally:
            self._places.release()
