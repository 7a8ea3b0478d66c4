"""GET /metrics on METRICS_PORT, for processes that serve no other calls: worker, beat and live updates."""

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler

import structlog
from prometheus_client.exposition import ThreadingWSGIServer

from backend.core.observability import metrics
from backend.core.observability.metrics_access import MetricsAccess
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger(__name__)
RETRY_SECONDS: Final = 5.0
CLIENT_SECONDS: Final = 10
Collect = Callable[[], Iterable[metrics.Metric]]


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_SECONDS  # a silent client must not hold a thread for good

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Log nothing: a scrape every few seconds is no news."""

    def address_string(self) -> str:
        return str(self.client_address[0])


class _Server(ThreadingWSGIServer):
    def server_bind(self) -> None:
        """Bind without looking up the host's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: the client has gone."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def start(settings: Settings, collect: Collect = tuple) -> None:
    """Serve from a thread of this process if METRICS_PORT is set. ``collect`` returns further current values.

    Processes that share DATA_DIR share their counts, so one of them serves for all: while the port is in use, the
    others try again, and one of them goes on when the first has ended.
    """
    if settings.metrics_port:
        arguments = (settings, collect)
        threading.Thread(target=_serve, args=arguments, name="metrics-server", daemon=True).start()


def _serve(settings: Settings, collect: Collect) -> None:
    access = MetricsAccess(settings)
    server = _bind(access.listen_on, settings.metrics_port)
    server.set_app(_application(access, collect))
    log.info("metrics.serving", host=access.listen_on, port=settings.metrics_port)
    server.serve_forever(poll_interval=RETRY_SECONDS)


def _bind(host: str, port: int) -> ThreadingWSGIServer:
    kind = _Server6 if ":" in host else _Server
    logged = 0
    while True:
        try:
            with metrics.guarded_from_fork:
                server = kind((host, port), _Handler)
                os.register_at_fork(after_in_child=server.socket.close)  # the port is free once this process has ended
                return server
        except OSError as error:
            if error.errno != logged:  # once, not every few seconds
                logged = error.errno or 0
                level = log.info if logged == errno.EADDRINUSE else log.warning
                level("metrics.port_unavailable", port=port, error=repr(error))
        time.sleep(RETRY_SECONDS)


def _application(
    access: MetricsAccess, collect: Collect
) -> "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]":
    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, body = "200 OK", b""
        if not access.allows(str(environ.get("REMOTE_ADDR", "")), _HeaderNames(environ)):
            status, body = "403 Forbidden", b"Metrics are available to the networks in METRICS_FROM only.\n"
        elif environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != "/metrics":
            status, body = "404 Not Found", b"This port serves GET /metrics only.\n"
        else:
            with metrics.guarded_from_fork:
                body = metrics.exposition(collect())
        content_type = metrics.CONTENT_TYPE if status == "200 OK" else "text/plain; charset=utf-8"
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    return serve


class _HeaderNames:
    """The names of a call's headers, in any case."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ

    def __contains__(self, name: str) -> bool:
        return f"HTTP_{name.upper().replace('-', '_')}" in self._environ
