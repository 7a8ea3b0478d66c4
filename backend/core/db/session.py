"""The database: one metadata, one session per call, one transaction committed at the entry point."""

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from threading import Lock
from time import monotonic
from typing import Annotated, ClassVar, Final, NamedTuple, TypedDict, cast
from weakref import WeakKeyDictionary

import psycopg
import structlog
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Numeric, Text, event, func, text
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from backend.core.db import errors as db_errors
from backend.core.db.address import address
from backend.core.db.silence import COMMIT, WatchedConnection
from backend.core.errors import OutcomeUnknown
from backend.core.observability import metrics, tracing
from backend.settings import Settings

log = structlog.get_logger(__name__)
PING_AFTER_SECONDS: Final = 0.5
WORD_SIMILARITY = 0.35  # threshold of the operator <% for mistyped words: "claening" scores 0.38 for "cleaning"
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

NOWHERE = "postgresql://127.0.0.1:1/none"  # nothing listens here; for commands that need no database

ADVISORY_LOCK: Final = b"SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))"
POSITION: Final = b"SELECT pg_current_wal_insert_lsn() - '0/0'"
NOTED_COMMIT: Final = b"SELECT pg_current_xact_id_if_assigned() IS NOT NULL; COMMIT; " + POSITION

TIMESTAMP = DateTime(timezone=True)  # type of a parameter that is compared with a time

BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Money = Annotated[Decimal, mapped_column(Numeric(12, 2))]


class Base(DeclarativeBase):
    """The base of all models. Unlike ``db.Model``, type checkers understand it."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[Mapping[type, type[Text | BigInteger] | DateTime]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        int: BigInteger,
    }


class ConnectArguments(TypedDict):
    """Arguments of psycopg's ``connect``."""

    conninfo: str
    options: str
    prepare_threshold: int | None


class PoolUsage(NamedTuple):
    """How much of a pool of connections is used at present."""

    limit: int
    in_use: int
    waiting: int


_counting: Final = Lock()


class CountedPool(QueuePool):
    """A pool without overflow that counts the threads that wait for a connection, and how long."""

    _waiting = 0

    def usage(self) -> PoolUsage:
        """Return how much of the pool is used at present."""
        return PoolUsage(self.size(), max(0, self.checkedout()), self._waiting)

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() < self.size():
            return super().connect()
        began = monotonic()
        self._count(1)
        try:
            return super().connect()
        finally:
            self._count(-1)
            metrics.pool_waited(pool="session", seconds=monotonic() - began)

    def _count(self, change: int) -> None:
        with _counting:
            self._waiting += change


db = SQLAlchemy(session_options={"autoflush": False, "expire_on_commit": False})


def session_defaults(settings: Settings) -> dict[str, str]:
    """Return time limits of sessions, so that a broken or slow database leads to a 503 within seconds."""
    return {
        "statement_timeout": str(settings.db_statement_timeout_ms),
        "lock_timeout": str(settings.db_lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.db_idle_transaction_timeout_ms),
        "pg_trgm.word_similarity_threshold": str(WORD_SIMILARITY),
        "jit": "off",  # short queries finish before they would be compiled
        "timezone": "UTC",
    }


def connect_arguments(settings: Settings, **more: str) -> ConnectArguments:
    """Return address and session settings, ``more`` among them.

    A pooler hands a session to many clients, and accepts no settings of one: they are defaults of the role then, which
    `prepare` sets.
    """
    wanted = {} if settings.database_pooled else {**session_defaults(settings), **more}
    conninfo = address(settings.database_url or NOWHERE, silent_seconds=settings.db_silent_seconds)
    return {
        "conninfo": conninfo,
        "options": " ".join(f"-c {name}={value}" for name, value in wanted.items()),
        "prepare_threshold": 5 if settings.db_prepare else None,  # psycopg's own default, or never
    }


def engine_options(settings: Settings) -> dict[str, object]:
    """Return pool sizes and time limits; see :func:`connect_arguments`."""
    return {
        "hide_parameters": True,  # user input does not belong in logs
        "poolclass": CountedPool,
        "pool_pre_ping": True,
        "pool_size": settings.db_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.db_pool_timeout_seconds,
        "connect_args": connect_arguments(settings),
    }


class NotingConnection(WatchedConnection):
    """A connection that notes where the log was after it committed changes, in the round trip of the COMMIT."""

    def commit(self) -> None:
        """Commit; see ``position_of_commit``."""
        if self.pgconn.transaction_status != TransactionStatus.INTRANS:
            super().commit()
            return
        with tracing.statement(COMMIT):
            cursor = self.execute(NOTED_COMMIT, prepare=False)  # several statements cannot be prepared
        ((has_written,),) = cursor.fetchall()
        cursor.nextset()
        cursor.nextset()
        _position.set(int(cursor.fetchall()[0][0]) if has_written else None)


def position_of_commit() -> int | None:
    """Return the position in the write-ahead log after this thread's last commit; None if it changed nothing.

    A position is a number of bytes. It is noted only where DATABASE_REPLICA_URL is set.
    """
    return _position.get()


@event.listens_for(Engine, "handle_error")
def _keep_values_out_of_messages(context: ExceptionContext) -> None:
    """Reduce a database error to its primary message, because DETAIL and context quote rows.

    The full diagnosis stays in ``error.orig.diag``.
    """
    original, wrapped = context.original_exception, context.sqlalchemy_exception
    if not isinstance(original, psycopg.Error) or original.sqlstate is None:
        return
    message = str(original)
    _reduce(original)
    if wrapped is not None:
        wrapped.args = (str(wrapped.args[0]).replace(message, str(original)), *wrapped.args[1:])


def _reduce(error: psycopg.Error) -> None:
    if error.sqlstate is not None:
        # Data exceptions quote the value in the primary message.
        is_data = error.sqlstate.startswith("22")
        error.args = (type(error).__name__ if is_data else str(error.diag.message_primary),)


def ping_only_idle(engine: Engine) -> None:
    """Ping a connection before use only if it was idle for PING_AFTER_SECONDS, or its socket has something to read.

    A server that ended a connection, or itself, has closed the socket, which shows without a round trip.
    """
    returned: WeakKeyDictionary[object, float] = WeakKeyDictionary()
    ping = engine.dialect.do_ping

    def note(connection: object, _: object) -> None:
        if connection is not None:  # None: it was invalidated
            returned[connection] = monotonic()

    def ping_if_idle(connection: DBAPIConnection) -> bool:
        was_used_just_now = monotonic() - returned.get(connection, 0.0) < PING_AFTER_SECONDS
        return (was_used_just_now and _is_quiet(connection)) or ping(connection)

    event.listen(engine, "checkin", note)
    engine.dialect.do_ping = ping_if_idle  # type: ignore[method-assign,assignment]  # a function takes no self


def _is_quiet(connection: DBAPIConnection) -> bool:
    """Return whether nothing has arrived on a connection that waits for a statement: neither an error nor its end."""
    sockets = select.poll()
    sockets.register(cast("psycopg.Connection[TupleRow]", connection).pgconn.socket, select.POLLIN)
    return not sockets.poll(0)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the database with the application."""
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://"  # psycopg reads the address, for it may name hosts
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    kind = NotingConnection if settings.database_replica_url else WatchedConnection
    connection = kind.with_limit(settings.db_silent_seconds)
    with app.app_context():
        event.listen(db.engine, "do_connect", lambda _, __, ___, named: connection.connect(**named))
        ping_only_idle(db.engine)


Given = tuple[bytes, Mapping[str, object]]  # a statement with psycopg's placeholders, and their values
_position: Final[ContextVar[int | None]] = ContextVar("position", default=None)
_AT_COMMIT: Final[ContextVar[list[Given] | None]] = ContextVar("at_commit", default=None)
_END_CALLBACKS: Final[ContextVar[list[Callable[[], None]] | None]] = ContextVar("endings", default=None)


@contextmanager
def transaction() -> Iterator[None]:
    """Run one unit of work: commit at its end, roll back on any error. For entry points only (API, jobs, CLI).

    If the session was never used (see ``backend.core.db.read_pool``), there is nothing to commit.
    """
    endings: list[Callable[[], None]] = []
    token, statements = _END_CALLBACKS.set(endings), _AT_COMMIT.set([])
    _position.set(None)
    try:
        yield
        if db.session.registry.has():
            _commit()
    except BaseException:
        if db.session.registry.has():
            db.session.rollback()
        raise
    finally:
        _AT_COMMIT.reset(statements)
        _END_CALLBACKS.reset(token)
        for end in endings:
            end()


def _commit() -> None:
    """Commit. Raises OutcomeUnknown if the connection broke after COMMIT was sent and before it was confirmed."""
    db.session.flush()  # first, so that only COMMIT itself can fail below
    if statements := _AT_COMMIT.get():
        _commit_with(statements)
    try:
        db.session.commit()  # after COMMIT it sends nothing to the database
    except DBAPIError as error:
        if not db_errors.may_have_committed(error):
            raise
        log.exception("database.commit_outcome_unknown", sqlstate=db_errors.sqlstate(error))
        raise OutcomeUnknown(
            "The connection to the database was lost while your changes were being saved. Repeat the request with the "
            "same Idempotency-Key, or check whether they were saved before you try again.",
            retry_after=3,
        ) from error


def _commit_with(statements: Sequence[Given]) -> None:
    """Commit in one round trip with the last statements."""
    commit: Given = (b"COMMIT", {})
    if current_app.extensions["settings"].database_replica_url:
        _position.set(int(_pipeline([*statements, commit, (POSITION, {})]).fetchall()[0][0]))
    else:
        _pipeline([*statements, commit])


def execute_together(*statements: Given) -> list[TupleRow]:
    """Execute statements in one round trip, with BEGIN if none came before; return the rows of the last one.

    Each sees what was committed before it began, as in round trips of its own. Errors are psycopg's.
    """
    return _pipeline(statements).fetchall()


def execute_at_commit(sql: bytes, values: Mapping[str, object]) -> None:
    """Execute a statement together with COMMIT, in one round trip, or immediately outside of a unit of work.

    For statements after which nothing else is read or written; errors are psycopg's.
    """
    statements = _AT_COMMIT.get()
    if statements is None:
        _pipeline([(sql, values)])
    else:
        statements.append((sql, values))


def _pipeline(statements: Sequence[Given]) -> psycopg.Cursor[TupleRow]:
    """Send all statements before waiting for their results; return the cursor of the last."""
    held = db.session.connection()
    connection = cast("psycopg.Connection[TupleRow]", held.connection.driver_connection)
    is_alone = len(statements) == 1 and connection.pgconn.transaction_status == TransactionStatus.INTRANS
    try:
        with tracing.statement(*(sql for sql, _ in statements)), nullcontext() if is_alone else connection.pipeline():
            cursors = [connection.execute(sql, values) for sql, values in statements]
    except psycopg.Error as error:
        _reduce(error)
        if connection.closed:
            held.invalidate(error)  # the session does not see errors of the driver
        raise
    return cursors[-1]


def on_transaction_end(call: Callable[[], None]) -> None:
    """Call the function after commit or rollback of the current unit of work, or immediately if there is none."""
    endings = _END_CALLBACKS.get()
    if endings is None:
        call()
    else:
        endings.append(call)


def pooled(app: Flask) -> Callable[[], AbstractContextManager[psycopg.Connection[TupleRow]]]:
    """Return how a thread that serves no call takes psycopg's connection out of the pool, for one transaction."""

    @contextmanager
    def take() -> Iterator[psycopg.Connection[TupleRow]]:
        with app.app_context(), db.engine.begin() as held:
            yield cast("psycopg.Connection[TupleRow]", held.connection.driver_connection)

    return take


def advisory_lock(name: str) -> None:
    """Take an advisory lock on the name until the transaction ends, for data without a row to lock."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
