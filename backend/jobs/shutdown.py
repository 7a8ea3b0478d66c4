"""Ends worker and beat for certain once they are asked to, even where no supervisor is left to kill them."""

import os
import signal
import threading
from collections.abc import Callable
from typing import NoReturn

import psutil
from celery.signals import beat_init, worker_process_shutdown, worker_shutting_down


def limit_worker(seconds: float) -> None:
    """Kill the worker with its job processes when a shutdown takes longer; their leases run out, and others go on."""

    def start_timer(**_: object) -> None:
        timer = threading.Timer(seconds, _kill_all)
        timer.daemon = True
        timer.start()

    worker_shutting_down.connect(start_timer, weak=False)


def end_job_processes(*last: Callable[[], None]) -> None:
    """Make the last calls in each job process that ends in order: these run none of Python's exit functions."""

    def end(**_: object) -> None:
        for call in last:
            call()

    worker_process_shutdown.connect(end, weak=False)


def end_beat_at_once(before: Callable[[], None]) -> None:
    """End beat in the signal handler, after a last call: it keeps nothing, and has nothing to finish.

    Celery's own handler raises SystemExit. Raised while beat talks to the broker, it is replaced by an error of the
    connection that is cleaned up there, and beat goes on for good.
    """

    def end(*_: object) -> NoReturn:
        before()
        os._exit(0)

    def install(**_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)

    beat_init.connect(install, weak=False)


def _kill_all() -> NoReturn:
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)
