"""Health checks for /readyz, and the heartbeats that they read."""

import http.client
import mmap
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core import valkey
from backend.core.db.session import Base, db
from backend.core.queue import QUEUES
from backend.settings import Settings

log = structlog.get_logger(__name__)
PATIENCE_SECONDS: Final = 2.0
WORKER_SILENCE_SECONDS: Final = 30.0
STARTING_SECONDS: Final = 60.0
# Workers are alive if they send heartbeats, renew leases or finish jobs.
WORKER_LIFE: Final = text("""
    SELECT EXTRACT(EPOCH FROM clock_timestamp() - GREATEST(
               (SELECT max(at) FROM heartbeats WHERE name = 'worker'),
               (SELECT max(done_at) FROM jobs WHERE done_at IS NOT NULL)))
""")
REVISION: Final = text("SELECT version_num FROM alembic_version")
PING_KEY: Final = "doorstep:ping"
PING_SECONDS: Final = 60
# Shared by all server processes forked from this one: whether the web server is about to stop, and accepts no more.
_shared: Final = mmap.mmap(-1, 2)
Check = Callable[[], None]


class MigrationMissing(Exception):
    """The database is older than this program."""


class Problem(Exception):
    """A dependency does not work properly. The message is public."""


def drain() -> None:
    """Mark all server processes as draining, so that load balancers send no new calls."""
    _shared[0] = 1


def leave() -> None:
    """Mark all server processes as draining, and as those that accept no new connections, later ones included."""
    _shared[:] = b"\1\1"


def has_left() -> bool:
    """Return whether :func:`leave` was called."""
    return bool(_shared[1])


def is_draining() -> bool:
    """Return whether :func:`drain` was called."""
    return bool(_shared[0])


def stop_draining() -> None:
    """Undo :func:`drain`."""
    _shared[0] = 0


@dataclass(frozen=True, slots=True)
class Part:
    """The state of a dependency: ``up``, ``starting`` or ``down``; ``age`` is seconds since it last worked."""

    state: str
    age: float | None
    problem: str | None = None  # public explanation

    @property
    def up(self) -> bool:
        return self.state == "up"


class Health:
    """Checks each dependency, one check at a time per dependency, and records when it last worked."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._began = time.monotonic()
        self._seen: dict[str, float] = {}
        self._checks: dict[str, Check] = {}
        self._problems: dict[str, str | None] = {}
        self._needed: set[str] = set()
        self._running: dict[str, Future[None]] = {}
        self._threads = ThreadPoolExecutor(thread_name_prefix="health")
        self.add("database", self._check_database, needed=True)
        self.add("migrations", self._check_migrations, needed=True)
        self.add("cache", _writes(settings.cache_url))
        self.add("broker", _writes(settings.broker_url, queues=tuple(QUEUES.values())))
        if settings.events_url:
            self.add("events", _responds(settings.events_url))

    def add(self, name: str, check: Check, *, needed: bool = False) -> None:
        """Add a check; ``check`` raises if the dependency fails. ``needed``: calls cannot be served without it."""
        self._checks[name] = check
        if needed:
            self._needed.add(name)

    def parts(self) -> dict[str, Part]:
        """Return the state of each dependency within two seconds."""
        began = time.monotonic()
        for name, check in self._checks.items():
            if name not in self._running or self._running[name].done():
                self._running[name] = self._threads.submit(self._try, name, check)
        wait(list(self._running.values()), timeout=PATIENCE_SECONDS)
        found = {name: self._part(name, fresh_since=began) for name in self._checks}
        return {**found, "workers": self._workers()}

    def status(self, parts: dict[str, Part]) -> str:
        """Return ``ready``, ``degraded`` (a dependency that is not needed is down), ``unavailable`` or ``draining``."""
        if _shared[0]:
            return "draining"
        down = {name for name, part in parts.items() if not part.up}
        if down & self._needed:
            return "unavailable"
        return "degraded" if down else "ready"

    def _try(self, name: str, check: Check) -> None:
        try:
            check()
            self._seen[name] = time.monotonic()
        except Problem as error:
            self._problems[name] = str(error)
            log.warning("component.unavailable", part=name, error=str(error))
        except Exception as error:  # noqa: BLE001 - any error means that the dependency does not work
            log.warning("component.unavailable", part=name, error=repr(error))

    def _part(self, name: str, *, fresh_since: float) -> Part:
        seen = self._seen.get(name)
        if seen is None:
            return Part("down", None, self._problems.get(name))
        if seen >= fresh_since:
            return Part("up", _seconds(time.monotonic() - seen))
        return Part("down", _seconds(time.monotonic() - seen), self._problems.get(name))

    def _workers(self) -> Part:
        seen = self._seen.get("workers")
        if seen is not None and time.monotonic() - seen <= WORKER_SILENCE_SECONDS:
            return Part("up", _seconds(time.monotonic() - seen))
        state = "starting" if time.monotonic() - self._began < STARTING_SECONDS else "down"
        return Part(state, None if seen is None else _seconds(time.monotonic() - seen))

    def _check_database(self) -> None:
        with self._app.app_context(), db.engine.connect() as connection:
            age = connection.execute(WORKER_LIFE).scalar_one()
        if age is not None:
            self._seen["workers"] = time.monotonic() - float(age)

    def _check_migrations(self) -> None:
        """Check for missing migrations. A newer database is accepted, as during a rolling upgrade."""
        older = self._app.extensions["older_revisions"]
        with self._app.app_context(), db.engine.connect() as connection:
            revision = connection.execute(REVISION).scalar_one_or_none()
        if revision is None or revision in older:
            raise MigrationMissing(f"the database is at revision {revision}")


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["health"] = Health(app, settings)


def _writes(url: str, *, queues: tuple[str, ...] = ()) -> Check:
    """Return a check by a write, and of the queues' type: a server may answer PING and reject writes."""
    client = valkey.client(url, socket_timeout=1, socket_connect_timeout=1, retry=None)

    def check() -> None:
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(PING_KEY, b"1", ex=PING_SECONDS)
            for name in queues:
                pipeline.llen(name)
            pipeline.execute()

    return check


def _responds(url: str) -> Check:
    """Return a check of the process at a URL by its /healthz."""
    parts = urlsplit(url)

    def check() -> None:
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=1)) as connection:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        if status != http.HTTPStatus.OK:
            raise Problem("The process of live updates runs, but has no connection to Valkey")

    return check


def _seconds(value: float) -> float:
    return round(max(0.0, value), 3)


class Heartbeat(Base):
    """The last heartbeat of one component."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
