"""The span of each call, below that of a proxy that sent `traceparent`, where spans are recorded (ADR 188)."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from backend.api.access_log import ROUTE
from backend.api.middleware import BY_ADDRESS
from backend.core.observability import tracing

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TRACEPARENT = "HTTP_TRACEPARENT"


class CallSpans:
    """Records calls until their response begins; health checks and scrapes are recorded only in a caller's trace.

    The call then sees its own span as `traceparent`: log lines, jobs and our other processes belong to it.
    """

    def __init__(self, wsgi_app: "WSGIApplication") -> None:
        self._next = wsgi_app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get(TRACEPARENT)
        if given is None and environ.get("PATH_INFO") in BY_ADDRESS:
            return self._next(environ, start_response)
        status = 500

        def record(
            line: str, fields: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            return start_response(line, fields, exc_info)

        with tracing.call(environ["REQUEST_METHOD"], given) as span:
            if span.traceparent is not None:
                environ[TRACEPARENT] = span.traceparent
            try:
                return self._next(environ, record)
            finally:
                span.responded(status, environ.get(ROUTE))
