"""Reads that many make: one statement outside of any transaction, on a connection kept for it, prepared once.

A session's way (ping, begin, read, commit) takes four round trips; this takes one. Once a call's own transaction has
begun, its reads go through that, so that they see what it changed. Statements are made once and kept, as constants or
by a cached function of their shape: what differs from call to call comes in as parameters.
"""

import contextlib
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import psycopg
import structlog
from flask import Flask, current_app
from psycopg.rows import namedtuple_row
from sqlalchemy import Select, TextClause
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from backend.core import database_errors
from backend.core.database import db, engine_options
from backend.core.errors import Invalid
from backend.settings import Settings

log = structlog.get_logger(__name__)
Connection = psycopg.Connection[Any]
Statement = TextClause | Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as PostgreSQL reads it, with the values that stand in the statement itself."""

    sql: str
    values: Mapping[str, Any]


class Reads:
    """Connections in autocommit; as many as threads read at once."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._arguments = engine_options(settings)["connect_args"]
        self._free: deque[Connection] = deque()
        weakref.finalize(self, _close, self._free)

    def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows. Raises Unavailable when the database is away, Invalid for what it cannot hold."""
        compiled = _compiled(statement)
        parameters = {**compiled.values, **parameters}
        kept = self._take()
        if kept is not None:
            try:
                return self._run(kept, compiled.sql, parameters)
            except psycopg.OperationalError as error:  # cut while nobody looked, most likely: no news of a new one
                log.info("kept_connection_cut", error=repr(error))
        try:
            return self._run(self._connect(), compiled.sql, parameters)
        except psycopg.OperationalError as error:
            _close(self._free)
            raise database_errors.unavailable(error) from error

    def _take(self) -> Connection | None:
        with contextlib.suppress(IndexError):
            return self._free.pop()
        return None

    def _connect(self) -> Connection:
        return psycopg.connect(self._url, autocommit=True, row_factory=namedtuple_row, **self._arguments)

    def _run(self, connection: Connection, sql: Any, parameters: Mapping[str, Any]) -> list[Any]:
        """On a connection that is kept for others afterwards, unless it broke."""
        try:
            rows = connection.execute(sql, parameters, prepare=True).fetchall()
        except psycopg.DataError as error:
            self._free.append(connection)
            raise Invalid("A value is outside of what can be kept.") from error
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
            self._free.append(connection)
            raise database_errors.unavailable(error) from error
        except BaseException:
            _close([connection])
            raise
        self._free.append(connection)
        return rows


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the reads to the application."""
    app.extensions["reads"] = Reads(settings)


def rows(statement: Statement, parameters: Mapping[str, Any]) -> list[Any]:
    """All rows of a statement; see :class:`Reads`."""
    if db.session.registry.has() and db.session().in_transaction():
        return list(db.session.execute(statement, parameters))
    return cast("Reads", current_app.extensions["reads"]).rows(statement, parameters)


def one(statement: Statement, parameters: Mapping[str, Any]) -> Any:
    """The only row of a statement, or None."""
    found = rows(statement, parameters)
    return found[0] if found else None


@lru_cache(maxsize=512)
def _compiled(statement: Statement) -> Compiled:
    compiled = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    # A parameter without a value of its own is None here and given with each call.
    return Compiled(str(compiled), compiled.params)


def _close(connections: "deque[Connection] | list[Connection]") -> None:
    while connections:
        with contextlib.suppress(psycopg.Error):
            connections.pop().close()
