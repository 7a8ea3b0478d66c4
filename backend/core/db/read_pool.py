"""Reads without a session: prepared statements on a bounded pool of connections in autocommit."""

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeVar, cast

import orjson
import psycopg
import structlog
from flask import Flask, current_app
from psycopg.abc import Buffer
from psycopg.abc import Transformer as AnyTransformer
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import RowFactory, TupleRow, tuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from backend.core.db import errors as db_errors
from backend.core.db.pagination import AnySelect
from backend.core.db.session import PoolUsage, connect_arguments, db
from backend.core.db.silence import HostSilent, WatchedConnection
from backend.core.errors import Busy, Invalid
from backend.core.observability import metrics, tracing
from backend.settings import Settings

log = structlog.get_logger(__name__)
Statement = TextClause | AnySelect
Found = TypeVar("Found")
REPLICA: Final = "replica"  # the application's extension, where DATABASE_REPLICA_URL is set
MAX_PREPARED: Final = 100  # statements per connection, whose plans take memory in PostgreSQL


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled statement with the values that are part of it."""

    sql: bytes  # psycopg takes literals and bytes, so that no one formats values into a str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Numbered:
    """A compiled statement as libpq takes it: with numbers for its parameters, whose names are in this order."""

    sql: bytes
    names: tuple[str, ...]
    formats: Sequence[PyFormat]
    values: Mapping[str, object]


class ReadConnection(WatchedConnection):
    """A connection in autocommit that runs prepared statements, if it may, through libpq directly.

    A psycopg cursor waits for the socket in steps, and releases the interpreter's lock, for which threads compete,
    in each of them. libpq's blocking call releases it once.
    """

    prepares = True  # False behind a pooler that hands a session to several clients and knows no prepared statements

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[TupleRow] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}  # of prepared statements

    def read(self, statement: Numbered, parameters: Mapping[str, object]) -> list[TupleRow]:
        """Return all rows. Raises psycopg.Error, OperationalError if the connection is lost."""
        sent = self._as_sent(statement, parameters)
        with tracing.statement(statement.sql), self.watched():
            result = _checked(sent.execute(self.pgconn))
        return sent.rows(result)

    def read_if(
        self, condition: Numbered, given: Mapping[str, object], statement: Numbered, parameters: Mapping[str, object]
    ) -> list[TupleRow] | None:
        """Return all rows, or None if the condition, a statement with one boolean, does not hold.

        Both go in one round trip, and PostgreSQL executes the condition first: what holds then is in the snapshot of
        the statement. Raises psycopg.Error as ``read`` does.
        """
        if len(self._names) > MAX_PREPARED - 2:
            self._forget_prepared()  # not between the two
        sent = [self._as_sent(condition, given), self._as_sent(statement, parameters)]
        with tracing.statement(condition.sql, statement.sql), self.watched():
            self.pgconn.enter_pipeline_mode()
            try:
                for one in sent:
                    one.send(self.pgconn)
                self.pgconn.pipeline_sync()
                results = [_next_result(self.pgconn) for _ in sent]
                self.pgconn.get_result()  # of the sync
                holds, found = [_checked(result) for result in results]
            finally:
                if self.pgconn.status == ConnStatus.OK:
                    self.pgconn.exit_pipeline_mode()
        return sent[1].rows(found) if holds.get_value(0, 0) == b"t" else None

    def _as_sent(self, statement: Numbered, parameters: Mapping[str, object]) -> "_Sent":
        transformer = Transformer(self)
        values = transformer.dump_sequence([parameters[name] for name in statement.names], statement.formats)
        types = transformer.types or ()
        name = self._prepared_as(statement.sql, types) if self.prepares else None
        return _Sent(name, statement.sql, values, types, transformer)

    def _prepared_as(self, sql: bytes, types: tuple[int, ...]) -> bytes:
        """Return the name of the prepared statement, which is prepared once for parameters of these types."""
        name = self._names.get((sql, types))
        if name is None:
            with self.watched():
                if len(self._names) >= MAX_PREPARED:
                    self._forget_prepared()
                name = b"read_%d" % len(self._names)
                _checked(self.pgconn.prepare(name, sql, types))
            self._names[sql, types] = name
        return name

    def _forget_prepared(self) -> None:
        _checked(self.pgconn.exec_(b"DEALLOCATE ALL"))
        self._names.clear()


class _Sent(NamedTuple):
    """A statement as libpq sends it: by the name under which it is prepared, if it is."""

    name: bytes | None
    sql: bytes
    values: Sequence[Buffer | None]
    types: tuple[int, ...]
    transformer: AnyTransformer

    def execute(self, pgconn: PGconn) -> PGresult:
        """Execute it by libpq's blocking call."""
        formats = self.transformer.formats
        if self.name is None:
            return pgconn.exec_params(self.sql, self.values, self.types, formats)
        return pgconn.exec_prepared(self.name, self.values, formats)  # type: ignore[arg-type]  # psycopg's own type omits None

    def rows(self, result: PGresult) -> list[TupleRow]:
        """Return the rows of its result."""
        self.transformer.set_pgresult(result)
        return self.transformer.load_rows(0, result.ntuples, tuple)

    def send(self, pgconn: PGconn) -> None:
        """Send it in pipeline mode."""
        formats = self.transformer.formats
        if self.name is None:
            pgconn.send_query_params(self.sql, self.values, self.types, formats)
        else:
            pgconn.send_query_prepared(self.name, self.values, formats)


def _next_result(pgconn: PGconn) -> PGresult:
    """Return the only result of the next statement in a pipeline. Raises OperationalError without a connection."""
    result = pgconn.get_result()
    if result is None:
        raise psycopg.OperationalError("the connection was lost")
    while pgconn.get_result() is not None:  # None ends each statement
        pass
    return result


def _checked(result: PGresult) -> PGresult:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if result.error_field(DiagnosticField.SQLSTATE):
        raise error_from_result(result)
    raise psycopg.OperationalError(result.get_error_message())  # from libpq itself: the connection is lost


class Reads:
    """Reads on up to ``DB_READ_POOL_SIZE`` connections in autocommit per process, to the host of ``DATABASE_URL``."""

    def __init__(self, settings: Settings, *, name: str = "reads") -> None:
        self._connection = ReadConnection.with_limit(settings.db_silent_seconds)
        self._connection.prepares = settings.db_prepare
        # Parallel workers would read far ahead of a page that ends after a few rows.
        self._arguments = connect_arguments(settings, max_parallel_workers_per_gather="0")
        self._pool = ConnectionPool(
            size=settings.db_read_pool_size, timeout_seconds=settings.db_pool_timeout_seconds, name=name
        )

    def usage(self) -> PoolUsage:
        """Return how much of the pool is used at present."""
        return self._pool.usage()

    def rows(self, statement: Statement, parameters: Mapping[str, object]) -> list[TupleRow]:
        """Return all rows.

        Raises:
            Unavailable: the database is unavailable, or (Busy) all connections were in use for too long.
            Invalid: a value cannot be stored in the database.
        """
        ready = numbered(statement)
        values = {**ready.values, **parameters}
        return self._on_connection(lambda connection: connection.read(ready, values))

    def rows_if(
        self,
        condition: Statement,
        given: Mapping[str, object],
        statement: Statement,
        parameters: Mapping[str, object],
    ) -> list[TupleRow] | None:
        """Return all rows, or None if the condition does not hold; see :meth:`ReadConnection.read_if`.

        Raises the errors of :meth:`rows`.
        """
        first, ready = numbered(condition), numbered(statement)
        values = {**ready.values, **parameters}
        return self._on_connection(lambda connection: connection.read_if(first, given, ready, values))

    def _on_connection(self, read: Callable[[ReadConnection], Found]) -> Found:
        connection = kept = self._pool.take()
        try:
            if connection is None:
                connection = self._connect()
            try:
                found = read(connection)
            except psycopg.OperationalError as error:
                if kept is None or is_usable(kept) or isinstance(error, HostSilent):
                    raise
                log.info("database.idle_connection_lost", error=repr(error))  # most likely while it was idle
                kept.close()
                connection = self._connect()
                found = read(connection)
        except psycopg.DataError as error:
            raise Invalid("A value is out of range.") from error
        except psycopg.OperationalError as error:
            if connection is None or not is_usable(connection):
                self._pool.clear()  # if one connection broke, the others probably did too
            raise db_errors.unavailable(error) from error
        finally:
            self._pool.give_back(connection)
        return found

    def _connect(self) -> ReadConnection:
        connection = self._connection.connect(autocommit=True, **self._arguments)
        set_json_loads(orjson.loads, connection)  # a page of notifications has fifty values
        return connection


def init_app(app: Flask, settings: Settings) -> None:
    """Register the reads with the application."""
    app.extensions["reads"] = Reads(settings)


class Behind(Protocol):
    """Where reads go that may be behind; see ``backend.core.db.replica``."""

    def rows(self, statement: Statement, parameters: Mapping[str, object]) -> list[TupleRow] | None:
        """Return all rows, or None if the primary has to be asked."""


def rows(statement: Statement, parameters: Mapping[str, object], *, behind: bool = False) -> list[TupleRow]:
    """Return all rows of a statement as tuples, of which callers make typed rows by position; see :class:`Reads`.

    ``behind``: they may come from a replica, some seconds late, but never without what the caller's account wrote.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return list(db.session.execute(statement, parameters))
    if behind and (replica := cast("Behind | None", current_app.extensions.get(REPLICA))) is not None:
        found = replica.rows(statement, parameters)
        if found is not None:
            return found
    return cast("Reads", current_app.extensions["reads"]).rows(statement, parameters)


def one(statement: Statement, parameters: Mapping[str, object], *, behind: bool = False) -> TupleRow:
    """Return the row of a statement that always has one."""
    return rows(statement, parameters, behind=behind)[0]


def one_or_none(statement: Statement, parameters: Mapping[str, object]) -> TupleRow | None:
    """Return the only row of a statement, or None."""
    found = rows(statement, parameters)
    return found[0] if found else None


def array(ids: Iterable[int]) -> str:
    """Return ids as the text of an array, for ``CAST(:ids AS bigint[])``. psycopg's own way takes ten times as long."""
    return "{" + ",".join(map(str, ids)) + "}"


@lru_cache(maxsize=512)
def compiled(statement: Statement) -> Compiled:
    """Return the statement as psycopg takes it. A parameter without a default is None and passed with each call."""
    result = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    return Compiled(str(result).encode(), result.params)


@lru_cache(maxsize=512)
def numbered(statement: Statement) -> Numbered:
    """Return the statement as libpq takes it, compiled once."""
    dialect = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    result = statement.compile(dialect=dialect)
    names = tuple(result.positiontup or ())
    return Numbered(str(result).encode(), names, [PyFormat.AUTO] * len(names), result.params)


IDLE_SECONDS: Final = 60.0


class _Waiter:
    """A thread waiting for a connection. ``served`` is a plain lock, held until then; an Event costs much more."""

    __slots__ = ("connection", "served")

    def __init__(self) -> None:
        self.served = threading.Lock()
        self.served.acquire()
        self.connection: ReadConnection | None = None


@dataclass(slots=True, weakref_slot=True)
class _State:
    """The connections of one process. ``opened`` counts those that are open, being opened or in use."""

    size: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    free: deque[tuple[ReadConnection, float]] = field(default_factory=deque)
    waiters: deque[_Waiter] = field(default_factory=deque)
    opened: int = 0
    is_expiring: bool = False
    is_closed: bool = False

    def serve(self) -> None:
        """Give free connections and places to the longest-waiting threads. The caller must hold the lock."""
        while self.waiters:
            try:
                connection: ReadConnection | None = self.free.pop()[0]
            except IndexError:
                if self.opened >= self.size:
                    return
                self.opened += 1
                connection = None
            waiter = self.waiters.popleft()
            waiter.connection = connection
            waiter.served.release()

    @property
    def in_use(self) -> int:
        """Return how many connections are in use or being opened."""
        return max(0, self.opened - len(self.free))

    def release(self) -> None:
        """Release the place of a closed connection."""
        with self.lock:
            self.opened -= 1
            self.serve()


class ConnectionPool:
    """A pool of up to ``size`` connections; a forked process starts with none."""

    def __init__(
        self, *, size: int, timeout_seconds: float, idle_seconds: float = IDLE_SECONDS, name: str = "reads"
    ) -> None:
        self._name = name
        self._timeout = timeout_seconds
        self._idle = idle_seconds
        self._start(_State(size))
        _pools.add(self)

    def usage(self) -> PoolUsage:
        """Return how much of the pool is used at present."""
        return PoolUsage(self._state.size, self._state.in_use, len(self._state.waiters))

    def take(self) -> ReadConnection | None:
        """Return a free connection, or None when the caller may open one. Call `give_back` in either case.

        Raises:
            Busy: all connections were in use for longer than the timeout.
        """
        state = self._state
        if not state.waiters:  # else waiting threads come first
            try:
                return state.free.pop()[0]
            except IndexError:
                pass
        return self._wait(state)

    def give_back(self, connection: ReadConnection | None) -> None:
        """Return a connection to the pool, or only its place if there is none or it is broken."""
        state = self._state
        if connection is None or not is_usable(connection):
            if connection is not None:
                _close(connection)
            state.release()
            return
        # Add it first, then check for waiters; a waiter does these in the opposite order, so one sees the other.
        state.free.append((connection, time.monotonic()))
        if state.waiters:
            with state.lock:
                state.serve()

    def clear(self) -> None:
        """Close the free connections, because the database was restarted or is unavailable."""
        state = self._state
        while True:
            try:
                connection, _ = state.free.pop()
            except IndexError:
                return
            _close(connection)
            state.release()

    def _wait(self, state: _State) -> ReadConnection | None:
        waiter, began = _Waiter(), time.monotonic()
        with state.lock:
            state.waiters.append(waiter)
            state.serve()
            if not state.is_expiring:
                state.is_expiring = True
                threading.Thread(target=_expire, args=(state, self._idle), name="idle-reads", daemon=True).start()
        if waiter.served.acquire(blocking=False):  # a place was free
            return waiter.connection
        is_served = waiter.served.acquire(timeout=self._timeout)
        metrics.pool_waited(pool=self._name, seconds=time.monotonic() - began)
        if not is_served:
            with state.lock:
                if waiter.served.locked():  # else it was served just now
                    state.waiters.remove(waiter)
                    log.warning("database.pool_exhausted", connections=state.size)
                    raise Busy("The server is handling too many requests. Try again in a few seconds.", retry_after=3)
        return waiter.connection

    def _start(self, state: _State) -> None:
        self._state = state
        self._finalizer = weakref.finalize(self, _close_all, state)

    def forget_inherited(self) -> None:
        """Start without connections in a forked process: the open ones belong to its parent."""
        self._finalizer.detach()
        _inherited.append(self._state)  # closing or garbage-collecting them would close them for the parent
        self._start(_State(self._state.size))


def is_usable(connection: ReadConnection) -> bool:
    """Return whether the connection is open and idle."""
    return connection.pgconn.transaction_status == TransactionStatus.IDLE


def _expire(state: _State, idle_seconds: float) -> None:
    """Close idle connections. The thread ends when none is open and is started again when needed."""
    while not state.is_closed:
        time.sleep(idle_seconds / 4)
        old: list[ReadConnection] = []
        with state.lock:
            while state.free:
                try:
                    connection, since = state.free.popleft()  # the most recently used are at the other end
                except IndexError:
                    break
                if time.monotonic() - since < idle_seconds:
                    state.free.appendleft((connection, since))
                    break
                state.opened -= 1
                old.append(connection)
            state.serve()
            state.is_expiring = state.opened > 0
            ends = not state.is_expiring
        for connection in old:
            _close(connection)
        if ends:
            return


def _close_all(state: _State) -> None:
    """Close the free connections without the lock, which the thread that collects garbage may hold."""
    state.is_closed = True
    with contextlib.suppress(IndexError):
        while True:
            _close(state.free.pop()[0])


def _close(connection: ReadConnection) -> None:
    with contextlib.suppress(psycopg.Error):
        connection.close()


def _begin_in_child() -> None:
    for pool in list(_pools):
        pool.forget_inherited()


_pools: Final[weakref.WeakSet[ConnectionPool]] = weakref.WeakSet()
_inherited: Final[list[_State]] = []
os.register_at_fork(after_in_child=_begin_in_child)
