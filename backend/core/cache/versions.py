"""Versions of cached data: rows in PostgreSQL that change in the transaction of the change, read at every lookup.

Reading one on a separate connection costs about as much as a lookup in Valkey and is never outdated.
"""

import contextlib
import threading
import weakref
from typing import Final

import psycopg
import structlog
from psycopg.pq import ExecStatus
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.cache.valkey import CircuitBreaker
from backend.core.db.session import Base, db

log = structlog.get_logger(__name__)
CATALOGUE: Final = "catalogue"
PREPARED: Final = b"cache_version"
QUERY: Final = b"SELECT version::text FROM cache_versions WHERE name = $1"
CHANGE: Final = text("""
    INSERT INTO cache_versions (name, version) VALUES (:name, gen_random_uuid())
        ON CONFLICT (name) DO UPDATE SET version = excluded.version
""")
OPTIONS: Final = "-c statement_timeout=500 -c idle_in_transaction_session_timeout=5000"


class CacheVersion(Base):
    """The current version of a kind of cached data. A trigger changes it (see the migration)."""

    __tablename__ = "cache_versions"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(UUID(as_uuid=False))


Connection = psycopg.Connection[tuple[str]]


def change(name: str) -> None:
    """Set a new version in the current transaction, for changes that no trigger sees."""
    db.session.execute(CHANGE, {"name": name})


class _Reading:
    """One read that serves all threads that asked before it started."""

    __slots__ = ("done", "found")

    def __init__(self) -> None:
        self.done = threading.Lock()
        self.done.acquire()
        self.found: str | None = None


class Versions:
    """Reads versions on one connection, one read at a time, which serves all threads that asked before it started."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._open: list[Connection] = []  # at most one
        self._breaker = CircuitBreaker()
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._coming: dict[str, _Reading] = {}
        weakref.finalize(self, _close, self._open)

    def read(self, name: str) -> str | None:
        """Return the version after all changes committed so far; "" if there is none, None if it is unknown."""
        with self._lock:
            reading = self._coming.get(name)
            leads = reading is None
            if reading is None:
                reading = self._coming[name] = _Reading()
        if leads:
            try:
                with self._turn:
                    with self._lock:
                        del self._coming[name]  # later callers need a read that starts after they asked
                    reading.found = self._look(name)
            finally:
                reading.done.release()
        else:
            with reading.done:
                pass
        return reading.found

    def _look(self, name: str) -> str | None:
        if not self._breaker.lets_pass():
            return None
        if self._open:
            try:
                return self._ask(self._open[0], name)
            except psycopg.Error:  # for example after a restart: connect again
                _close(self._open)
        try:
            self._open.append(psycopg.connect(self._url, autocommit=True, connect_timeout=2, options=OPTIONS))
            self._open[0].pgconn.prepare(PREPARED, QUERY)
            return self._ask(self._open[0], name)
        except psycopg.Error as error:
            self._breaker.failed()
            _close(self._open)
            log.warning("cache.versions_unavailable", error=repr(error))
            return None

    def _ask(self, connection: Connection, name: str) -> str:
        """Query through libpq directly: psycopg's cursor takes three times as long, and this runs at every lookup."""
        answer = connection.pgconn.exec_prepared(PREPARED, [name.encode()])
        if answer.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(answer.get_error_message())
        self._breaker.succeeded()
        return (answer.get_value(0, 0) or b"").decode() if answer.ntuples else ""


def _close(connections: list[Connection]) -> None:
    while connections:
        with contextlib.suppress(psycopg.Error):
            connections.pop().close()
