"""Runs the application in this process, with Granian as its HTTP server, until SIGTERM or SIGINT."""

import asyncio
import gc
import os
import resource
import signal
import sys
from typing import Final

import psutil
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from backend.core.observability import logging, metrics, metrics_server, process_metrics, process_reports, tracing
from backend.core.observability.process_reports import Reporter
from backend.events.application import Application
from backend.settings import Settings, SettingsError

BACKLOG: Final = 1024
DRAIN_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.05


async def serve(settings: Settings) -> Reporter | None:
    """Serve until a signal; then end all streams, whose clients come back to this server's successor.

    The process reports itself once streams can be opened: `make upgrade` then ends the one before. Return what reports.
    """
    application = Application(settings)
    server = Server(
        application,
        address=settings.events_host,
        port=settings.events_port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        backlog=BACKLOG,
        backpressure=settings.events_streams + BACKLOG,  # so that our limit decides, which answers with a problem
        log_level=LogLevels.error,
    )
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    tasks = [asyncio.ensure_future(work) for work in (application.changes.listen(), application.ping())]
    serving = asyncio.ensure_future(server.serve())
    reporting = asyncio.ensure_future(report(settings, application))
    stopping = asyncio.ensure_future(asked.wait())
    await asyncio.wait([serving, stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await application.drain(seconds=DRAIN_SECONDS)
    for task in (*tasks, reporting):
        task.cancel()
    server.stop()  # type: ignore[no-untyped-call]  # Granian's own
    await asyncio.wait([serving], timeout=DRAIN_SECONDS)
    if not asked.is_set():
        for task in (serving, *tasks):
            if task.done() and not task.cancelled():
                task.result()
    return reporting.result() if reporting.done() and not reporting.cancelled() else None


async def report(settings: Settings, application: Application) -> Reporter | None:
    """Report this process from the time at which it accepts streams, or has found that it cannot."""
    while not listens(settings.events_port):  # noqa: ASYNC110 - a socket tells nobody that it listens
        await asyncio.sleep(POLL_SECONDS)
    await application.changes.tried.wait()
    return process_reports.start(settings, "events")


def listens(port: int) -> bool:
    """Return whether this process listens at a port, which another one may do as well."""
    found = psutil.Process().net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)


def main() -> int:
    """Start with the settings of the environment."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        sys.stderr.write(f"A setting is wrong: {error}\n")
        return 2
    if not settings.events_port:
        sys.stderr.write("A setting is wrong: EVENTS_PORT is needed to run this process on its own\n")
        return 2
    logging.name_process("events")
    logging.configure(settings)
    metrics.begin(settings)
    process_metrics.start("events")
    metrics_server.start(settings)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each stream is a file
    tracing.start("events")
    gc.freeze()
    reporter = asyncio.run(serve(settings))
    if reporter is not None:
        reporter.close()
        process_reports.leave(settings, "events", pid=os.getpid())
    return 0
