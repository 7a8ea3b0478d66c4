"""Versions of cached data: rows in PostgreSQL that change in the transaction of the change, read at every lookup.

Reading one on a separate connection costs about as much as a lookup in Valkey and is never outdated.
"""

import contextlib
import threading
import weakref
from queue import SimpleQueue
from typing import Final

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.circuit_breaker import CircuitBreaker
from backend.core.db.session import Base, db
from backend.core.db.silence import HostSilent, WatchedConnection

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


def change(name: str) -> None:
    """Set a new version in the current transaction, for changes that no trigger sees."""
    db.session.execute(CHANGE, {"name": name})


class Versions:
    """Reads versions on one connection, one read at a time, which serves all threads that asked before it started."""

    def __init__(self, url: str, *, is_pooled: bool = False, prepares: bool = True) -> None:
        self._url = url
        self._options = "" if is_pooled else OPTIONS
        self._prepares = prepares
        self._open: list[_Connection] = []  # at most one
        self._breaker = CircuitBreaker("cache_versions", event="cache.versions_unavailable", errors=(psycopg.Error,))
        self._lock = threading.Lock()
        self._coming: dict[str, SimpleQueue[str | None]] = {}  # each holds the result once it is read
        weakref.finalize(self, _close, self._open)

    def read(self, name: str) -> str | None:
        """Return the version after all changes committed so far; "" if there is none, None if it is unknown."""
        mine: SimpleQueue[str | None] = SimpleQueue()
        coming = self._coming.setdefault(name, mine)
        version = None
        try:
            if coming is mine:
                with self._lock:
                    del self._coming[name]  # later callers need a read that starts after they asked
                    version = self._breaker.call(self._query, name)
            else:
                version = coming.get()
        finally:
            coming.put(version)  # for the next thread that waits
        return version

    def _query(self, name: str) -> str:
        """Query through libpq directly: psycopg's cursor takes three times as long, and this runs at every lookup."""
        is_new = not self._open
        try:
            if is_new:
                self._open.append(
                    _Connection.connect(self._url, autocommit=True, connect_timeout=2, options=self._options)
                )
            with self._open[0].watched():
                if not self._prepares:
                    result = self._open[0].pgconn.exec_params(QUERY, [name.encode()])
                else:
                    if is_new:
                        self._open[0].pgconn.prepare(PREPARED, QUERY)
                    result = self._open[0].pgconn.exec_prepared(PREPARED, [name.encode()])
                if result.status != ExecStatus.TUPLES_OK:
                    raise psycopg.OperationalError(result.get_error_message())
        except psycopg.Error as error:
            _close(self._open)
            if is_new or isinstance(error, HostSilent):
                raise
            return self._query(name)  # the connection was lost, for example in a restart
        return (result.get_value(0, 0) or b"").decode() if result.ntuples else ""


class _Connection(WatchedConnection):
    limit = 1.0  # twice the statement's own limit


def _close(connections: list[_Connection]) -> None:
    while connections:
        with contextlib.suppress(psycopg.Error):
            connections.pop().close()
