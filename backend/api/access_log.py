"""The access log: one JSON line for each call on standard error, with ACCESS_LOG=on.

Lines name the route and never the path, the query or the address, because those hold ids, links and search words.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Final

import orjson
from flask import Flask

from backend.api.errors import CALLER
from backend.core.clock import now
from backend.core.observability import logging, trace_context
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE: Final = "doorstep.route"  # WSGI environment key of the route of a call
STANDARD_ERROR: Final = 2
NO_BODY: Final = frozenset({"204", "304"})


def guard(app: Flask, settings: Settings) -> None:
    """Wrap the application in the access log if it is on; it costs nothing while it is off."""
    if settings.access_log:
        app.wsgi_app = AccessLog(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own documented way to wrap it


class AccessLog:
    """Writes a line when a response is ready to be sent, or when its body has ended if its length is not known."""

    def __init__(self, wsgi_app: "WSGIApplication", write: Callable[[bytes], object] | None = None) -> None:
        self._next = wsgi_app
        self._write = write or _to_standard_error
        self._shared = {"level": "info", "logger": "access", "event": "call.served", **logging.process_fields()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = perf_counter()
        status = "500"
        length: int | None = None
        request_id: str | None = None

        def record(
            line: str, fields: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            nonlocal status, length, request_id
            status = line[:3]
            for name, value in fields:
                if name == "Content-Length":
                    length = int(value)
                elif name == "X-Request-Id":
                    request_id = value
            return start_response(line, fields, exc_info)

        def log(sent: int) -> None:
            self._log(environ, status, request_id, sent, perf_counter() - started)

        try:
            body = self._next(environ, record)
        except BaseException:
            log(0)
            raise
        if environ["REQUEST_METHOD"] == "HEAD" or status in NO_BODY:
            log(0)
        elif length is not None:
            log(length)
        elif isinstance(body, list):
            log(sum(map(len, body)))
        else:
            return _Counted(body, log)
        return body

    def _log(self, environ: "WSGIEnvironment", status: str, request_id: str | None, sent: int, seconds: float) -> None:
        caller = environ.get(CALLER)
        line = {
            "timestamp": now().isoformat(),
            **self._shared,
            "method": environ["REQUEST_METHOD"],
            "route": environ.get(ROUTE, "none"),
            "status": int(status),
            "ms": round(seconds * 1000, 2),
            "bytes": sent,
            "account_id": caller["account_id"] if caller else None,
            "request_id": request_id,
        }
        if traceparent := trace_context.parse(environ.get("HTTP_TRACEPARENT")):
            line["trace_id"] = trace_context.trace_id(traceparent)
        self._write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _to_standard_error(line: bytes) -> None:
    """Write the line in one piece: processes share the file, and lines must not mix."""
    os.write(STANDARD_ERROR, line)


class _Counted:
    """A body of unknown length; the line is written when it has ended or the client has gone."""

    def __init__(self, body: Iterable[bytes], log: Callable[[int], None]) -> None:
        self._body = body
        self._log = log
        self._sent = 0
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            self._sent += len(chunk)
            yield chunk
        self._end()

    def close(self) -> None:
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            self._end()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._log(self._sent)
