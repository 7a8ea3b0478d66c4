"""Reads that many make: one statement outside of any transaction, on a connection kept for it, prepared once.

A session's way (ping, begin, read, commit) takes four round trips; this takes one. Once a call's own transaction has
begun, its reads go through that, so that they see what it changed. Statements are made once and kept, as constants or
by a cached function of their shape: what differs from call to call comes in as parameters.
"""

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
from backend.core.connection_pool import ConnectionPool, is_usable
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
    """Connections in autocommit, as many as ``DB_READ_POOL_SIZE`` says in each process."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._arguments = engine_options(settings)["connect_args"]
        self._pool = ConnectionPool(size=settings.db_read_pool_size, timeout_seconds=settings.db_pool_timeout_seconds)

    def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Any]:
        """Return all rows.

        Raises:
            Unavailable: the database is away, or (Busy) all connections were in use for too long.
            Invalid: a value is one that the database cannot hold.
        """
        compiled = _compiled(statement)
        parameters = {**compiled.values, **parameters}
        connection = kept = self._pool.take()
        try:
            if connection is None:
                connection = self._connect()
            try:
                rows = _run(connection, compiled.sql, parameters)
            except psycopg.OperationalError as error:
                if kept is None or is_usable(kept):
                    raise
                log.info("kept_connection_cut", error=repr(error))  # while nobody used it, most likely
                kept.close()
                connection = self._connect()
                rows = _run(connection, compiled.sql, parameters)
        except psycopg.DataError as error:
            raise Invalid("A value is outside of what can be kept.") from error
        except psycopg.OperationalError as error:
            if connection is None or not is_usable(connection):
                self._pool.clear()  # where one connection broke, the others may have
            raise database_errors.unavailable(error) from error
        finally:
            self._pool.give_back(connection)
        return rows

    def _connect(self) -> Connection:
        return psycopg.connect(self._url, autocommit=True, row_factory=namedtuple_row, **self._arguments)


def _run(connection: Connection, sql: Any, parameters: Mapping[str, Any]) -> list[Any]:
    return connection.execute(sql, parameters, prepare=True).fetchall()


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
