"""Whether the parts that we stand on answer: asked in the background, so that a part that hangs holds up nobody."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

import redis
import structlog
from flask import Flask
from sqlalchemy import text

from backend.core.database import db
from backend.settings import Settings

log = structlog.get_logger(__name__)
PATIENCE_SECONDS: Final = 2.0
WORKER_SILENCE_SECONDS: Final = 30.0
STARTING_SECONDS: Final = 60.0
# A worker that is busy shows its life by the jobs that it ends: its heartbeat waits in the same queue.
WORKER_LIFE: Final = text("""
    SELECT EXTRACT(EPOCH FROM now() - GREATEST(
               (SELECT max(at) FROM heartbeats WHERE name = 'worker'),
               (SELECT max(done_at) FROM jobs WHERE done_at IS NOT NULL)))
""")
NOWHERE: Final = "redis://127.0.0.1:1/0"
Look = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``up``, ``starting`` or ``down``; ``age`` is the seconds since it last showed that it works."""

    state: str
    age: float | None

    @property
    def up(self) -> bool:
        return self.state == "up"


class Health:
    """Looks at each part with one question at a time, and remembers when each last answered."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._began = time.monotonic()
        self._seen: dict[str, float] = {}
        self._looks: dict[str, Look] = {
            "database": self._look_at_database,
            "cache": _ping(settings.cache_url),
            "broker": _ping(settings.broker_url),
        }
        self._running: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(len(self._looks), thread_name_prefix="health")

    def parts(self) -> dict[str, Part]:
        """The state of each part, within two seconds."""
        began = time.monotonic()
        for name, look in self._looks.items():
            if name not in self._running or self._running[name].done():
                self._running[name] = self._threads.submit(self._try, name, look)
        wait(list(self._running.values()), timeout=PATIENCE_SECONDS)
        found = {name: self._part(name, fresh_since=began) for name in self._looks}
        return {**found, "workers": self._workers()}

    def _try(self, name: str, look: Look) -> None:
        try:
            look()
            self._seen[name] = time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part does not work
            log.warning("part_is_down", part=name, error=repr(error))

    def _part(self, name: str, *, fresh_since: float) -> Part:
        seen = self._seen.get(name)
        if seen is None:
            return Part("down", None)
        return Part("up" if seen >= fresh_since else "down", _seconds(time.monotonic() - seen))

    def _workers(self) -> Part:
        seen = self._seen.get("workers")
        if seen is not None and time.monotonic() - seen <= WORKER_SILENCE_SECONDS:
            return Part("up", _seconds(time.monotonic() - seen))
        state = "starting" if time.monotonic() - self._began < STARTING_SECONDS else "down"
        return Part(state, None if seen is None else _seconds(time.monotonic() - seen))

    def _look_at_database(self) -> None:
        with self._app.app_context(), db.engine.connect() as connection:
            age = connection.execute(WORKER_LIFE).scalar_one()
        if age is not None:
            self._seen["workers"] = time.monotonic() - float(age)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["health"] = Health(app, settings)


def _ping(url: str) -> Look:
    client = redis.Redis.from_url(url or NOWHERE, socket_timeout=1, socket_connect_timeout=1, retry=None)

    def look() -> None:
        client.ping()

    return look


def _seconds(value: float) -> float:
    return round(max(0.0, value), 3)
