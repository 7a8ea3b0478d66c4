"""Web process: `python -m backend.wsgi` serves with Granian; any other WSGI server may take `backend.wsgi:app`."""

import functools
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from backend.launch import handover
from backend.launch.processes import die_with_parent
from backend.settings import Settings, SettingsError


def serve(arguments: Sequence[str] = ()) -> int:
    """Serve until SIGTERM; running requests finish first.

    SIGUSR2 says that another server of this machine took over: connections are closed with their next response, and no
    new ones accepted. SIGTERM then ends the server without a further wait.
    """
    inherited = handover.parse(arguments)
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        sys.stderr.write(f"A setting is wrong: {error}\n")
        return 2
    from backend.core.db import connection_budget

    room = connection_budget.check_at(settings)
    if room.problem:
        sys.stderr.write(f"{room.problem}\n")
    if not room.fits:
        return 2
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    import backend.app  # noqa: F401 - read once here; the forked server processes then start in no time
    from backend.api import event_relay
    from backend.core.observability import process_reports, tracing

    tracing.load()
    gc.collect()
    gc.freeze()  # else collections in each server process would copy the memory that they share

    server = _draining(handover.server_class(Server), seconds=settings.drain_seconds)(
        "backend.wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        workers=max(settings.web_workers, len(inherited.listeners)),  # else connections would wait at a socket for good
        blocking_threads=settings.web_threads + event_relay.threads_for_streams(settings),
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=settings.shutdown_seconds,
    )
    signal.signal(signal.SIGUSR2, server.leave)
    server.serve()
    process_reports.leave(settings, "web", pid=os.getpid())
    return 0


def _draining(server: Any, *, seconds: int) -> Any:
    """Return Granian's server class, changed: it reports its shutdown for so long before it stops.

    A second signal ends the wait.
    """
    from backend.core.observability import health

    class DrainingServer(server):  # type: ignore[misc]  # Granian picks its class at run time
        _wait: threading.Timer | None = None

        def leave(self, *_: object) -> None:
            health.leave()
            for worker in self.wrks:
                with suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, signal.SIGUSR2)

        def signal_handler_interrupt(self, *arguments: object, **named: object) -> None:
            health.drain()
            stop = functools.partial(super().signal_handler_interrupt, *arguments, **named)
            if self._wait is not None or health.has_left() or not seconds:
                if self._wait is not None:
                    self._wait.cancel()
                stop()
            else:
                self._wait = threading.Timer(seconds, stop)
                self._wait.start()

    return DrainingServer


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:]))
else:
    from backend.app import create_app
    from backend.core import storage
    from backend.core.db import statement_spans
    from backend.core.db.session import pooled
    from backend.core.events import announce
    from backend.core.observability import logging, metrics, process_metrics, process_reports

    if "granian.server.mp" in sys.modules:
        # until Granian listens for itself: its master's own handler, inherited here, would swallow a stop
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(signal.SIGTERM)  # else a killed master would leave processes that hold the port
    _settings = Settings.from_env()
    metrics.begin(_settings)
    logging.name_process("web")
    app = create_app()
    changed = handover.changing(app.wsgi_app)
    app.wsgi_app = changed  # type: ignore[method-assign,assignment]  # Flask's own documented way to wrap it
    if statement_spans.start("web"):
        from backend.api.call_spans import CallSpans

        app.wsgi_app = CallSpans(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own documented way to wrap it
    app.extensions["passwords"].use_workers()
    announce.begin()
    process_metrics.start("web", app)
    process_reports.start(_settings, "web", connect=pooled(app), stores=storage.identities(_settings))
    handover.wait_for_gate(app)
