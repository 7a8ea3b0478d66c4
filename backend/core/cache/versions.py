"""Versions of what is cached: rows in PostgreSQL that change in the transaction of the change, read at every look.

Reading one by a connection of its own costs about what a look into Valkey does, and it can never be behind.
"""

import contextlib
import weakref
from collections import deque
from typing import Final

import psycopg
import structlog
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.cache.breaker import Breaker
from backend.core.database import Base

log = structlog.get_logger(__name__)
CATALOGUE: Final = "catalogue"
QUERY: Final = "SELECT version::text FROM cache_versions WHERE name = %s"
OPTIONS: Final = "-c statement_timeout=500 -c idle_in_transaction_session_timeout=5000"


class CacheVersion(Base):
    """The present version of something that is cached. A trigger changes it (see the migration)."""

    __tablename__ = "cache_versions"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(UUID(as_uuid=False))


Connection = psycopg.Connection[tuple[str]]


class Versions:
    """Reads versions, each thread with a connection that is free at this moment."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._free: deque[Connection] = deque()
        self._breaker = Breaker()
        weakref.finalize(self, _close, self._free)

    def read(self, name: str) -> str | None:
        """The version that every change committed until now has made; None when it cannot be known."""
        if self._breaker.is_open:
            return None
        try:
            connection = self._free.pop()
        except IndexError:
            return self._read_anew(name)
        try:
            return self._ask(connection, name)
        except psycopg.Error:  # the server was restarted, say: what one connection says is no news of all
            _close([connection])
            return self._read_anew(name)

    def _read_anew(self, name: str) -> str | None:
        try:
            connection = psycopg.connect(self._url, autocommit=True, connect_timeout=2, options=OPTIONS)
            return self._ask(connection, name)
        except psycopg.Error as error:
            self._breaker.failed()
            _close(self._free)
            log.warning("cache_versions_away", error=repr(error))
            return None

    def _ask(self, connection: Connection, name: str) -> str | None:
        row = connection.execute(QUERY, (name,), prepare=True).fetchone()
        self._free.append(connection)
        self._breaker.succeeded()
        return row[0] if row else None


def _close(connections: "deque[Connection] | list[Connection]") -> None:
    while connections:
        with contextlib.suppress(psycopg.Error):
            connections.pop().close()
