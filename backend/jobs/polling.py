"""Polling of the job table while no message comes from the broker."""

import mmap
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from flask import Flask

from backend.core.queue import Lane
from backend.jobs import health, lanes, runner, schedule

log = structlog.get_logger(__name__)
QUIET_SECONDS: Final = 10.0
CLOCK: Final = struct.Struct("d")
# Shared by all processes forked from this one: when a message last reached any of them.
_last_message: Final = mmap.mmap(-1, CLOCK.size)
_in_hand: Final = [0]


@contextmanager
def message_in_hand() -> Iterator[None]:
    """Record that a message came from the broker and that this process is handling it."""
    CLOCK.pack_into(_last_message, 0, time.monotonic())
    _in_hand[0] += 1
    try:
        yield
    finally:
        _in_hand[0] -= 1
        CLOCK.pack_into(_last_message, 0, time.monotonic())


def start(app: Flask, *, quiet_seconds: float = QUIET_SECONDS) -> Callable[[], None]:
    """Start polling from a thread of this process and return a function that stops it."""
    CLOCK.pack_into(_last_message, 0, time.monotonic())
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(app, quiet_seconds, stop), name="job-polling", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def _watch(app: Flask, quiet_seconds: float, stop: threading.Event) -> None:
    polled_at = 0.0
    while not stop.wait(quiet_seconds * random.uniform(0.1, 0.2)):  # noqa: S311 - spreads the polls; not used for security
        if _in_hand[0] or time.monotonic() - max(polled_at, _message_at()) < quiet_seconds:
            continue
        try:
            with app.app_context():
                poll()
        except Exception as error:  # noqa: BLE001 - the database is unavailable; the next poll retries
            log.warning("jobs.poll_failed", error=repr(error))
        polled_at = time.monotonic()


def poll() -> int:
    """Run due jobs until none is left or a message arrives, and return how many were run.

    This also starts due scheduled jobs and records a heartbeat, because without a broker neither tick nor heartbeat
    messages arrive.
    """
    began, done = _message_at(), 0
    health.beat()
    schedule.tick()
    while _message_at() == began and (ran := _run_some()):
        done += ran
    if done:
        log.warning("jobs.found_by_polling", jobs=done)
    return done


def _run_some() -> int:
    """Run some jobs of the first lane of this worker that has any, and return how many."""
    run = {
        Lane.URGENT: lambda: runner.run_next(Lane.URGENT),
        Lane.BULK: runner.run_bulk,
        Lane.EXPORTS: runner.run_exports,
    }
    return next((ran for lane in lanes.served() if (ran := len(run[lane]()))), 0)


def _message_at() -> float:
    (at,) = CLOCK.unpack_from(_last_message, 0)
    return float(at)
