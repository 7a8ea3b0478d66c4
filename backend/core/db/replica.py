"""Reads from a replica: what may go there, and what proves that it is new enough (ADR 187).

A call that reads asks the replica under a condition, which the replica itself checks before it reads: that it has
replayed what the caller's account wrote, or has the version under which the response will be cached. If it has not, if
it is silent or more than MAX_LAG_SECONDS behind, or if Valkey cannot say what the account wrote, the primary is asked.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar, cast

import psycopg
import structlog
from flask import Flask, current_app, g
from flask_sqlalchemy.session import Session
from psycopg.rows import TupleRow
from sqlalchemy import BigInteger, Text, bindparam, create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import scoped_session

from backend.core.circuit_breaker import CircuitBreaker
from backend.core.db import errors as db_errors
from backend.core.db import positions
from backend.core.db.positions import Positions
from backend.core.db.read_pool import REPLICA, Reads, Statement
from backend.core.db.session import PoolUsage, db, engine_options
from backend.core.db.silence import WatchedConnection
from backend.core.errors import Busy, TimedOut, Unavailable
from backend.core.observability import metrics
from backend.core.security.authz import Actor, Role
from backend.settings import Settings

log = structlog.get_logger(__name__)
MAX_LAG_SECONDS: Final = 5.0
SAMPLE_SECONDS: Final = 0.5
UNUSED_SECONDS: Final = 300.0  # after which the lag is no longer measured
CATCH_UP_SECONDS: Final = 5.0  # how long a job waits until the replica has what was committed before
POLL_SECONDS: Final = 0.1
WRITTEN: Final = text("SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)")
REPLAYED: Final = text("""
    SELECT CAST(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END
                - '0/0' AS bigint)
""")
# Without recovery it is the primary itself, where no standby is left.
CONDITION: Final = text("""
    SELECT (:position = 0 OR NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() - '0/0' >= :position)
           AND (:version = '' OR EXISTS (SELECT FROM cache_versions
                                          WHERE name = :name AND CAST(version AS text) = :version))
""").bindparams(
    bindparam("position", type_=BigInteger), bindparam("version", type_=Text), bindparam("name", type_=Text)
)
# The job's own time limits hold.
UNLIMITED: Final = text("""
    SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
""")
Source = Connection | scoped_session[Session]
Found = TypeVar("Found")
Condition = Mapping[str, object]


class Caller(NamedTuple):
    """Whose call it is, and whether it only reads."""

    account_id: int | None
    role: Role | None
    only_reads: bool


class AskPrimary(Exception):
    """The replica may not answer this, or does not."""


def begin_call(actor: Actor | None, *, only_reads: bool) -> None:
    """Say whose call it is. Only calls that read may ask the replica: what a change builds on must be current."""
    if REPLICA in current_app.extensions:
        g.caller = Caller(actor.id if actor else None, actor.role if actor else None, only_reads)


@contextmanager
def cached_under(name: str, version: str) -> Iterator[None]:
    """Read, in the block, what will be cached under a version: from the replica only if it has that version."""
    before, g.cached_under = g.get("cached_under"), (name, version)
    try:
        yield
    finally:
        g.cached_under = before


class Lag:
    """Measures how far the replica is behind, in a thread of each process that asks it.

    Positions of the primary are noted with their time. The replica is as new as the last of them that it has replayed,
    whatever clocks say, and however long nothing was written.
    """

    def __init__(self, primary: Reads, replica: Reads) -> None:
        self._primary, self._replica = primary, replica
        self._lock = threading.Lock()
        self._breaker = CircuitBreaker("replica")
        self._pid = 0
        self._began = self._used_at = 0.0
        self._current_at: float | None = None  # when the primary had what the replica has now
        self._written: deque[tuple[float, int]] = deque(maxlen=64)

    def is_small(self) -> bool:
        """Return whether the replica is known to be at most MAX_LAG_SECONDS behind."""
        self._used_at = time.monotonic()
        if self._pid != os.getpid():
            self._begin()
        current_at = self._current_at
        return current_at is not None and self._used_at - current_at <= MAX_LAG_SECONDS

    def seconds(self) -> float | None:
        """Return the lag, at least; None while this process does not ask the replica."""
        if self._pid != os.getpid():
            return None
        return time.monotonic() - (self._current_at or self._began)

    def failed(self, error: BaseException) -> None:
        """Note that the replica did not answer: it is not asked until it answers the measuring thread."""
        self._current_at = None
        self._breaker.failed()
        log.warning("database.replica_unavailable", error=repr(error))

    def stop(self) -> None:
        """Let the measuring thread end, until the replica is to be asked again."""
        self._used_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Return whether the replica is skipped after a failure."""
        return self._breaker.is_open

    def _begin(self) -> None:
        with self._lock:
            if self._pid == os.getpid():  # another thread was first
                return
            self._pid, self._began, self._current_at = os.getpid(), time.monotonic(), None
            self._written.clear()
        threading.Thread(target=self._run, name="replica-lag", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.measure()
            time.sleep(SAMPLE_SECONDS)
            with self._lock:
                if self._used_at < time.monotonic() - UNUSED_SECONDS:
                    self._pid = 0
                    return

    def measure(self) -> None:
        """Measure once."""
        if not self._breaker.lets_pass():
            return
        try:
            at = time.monotonic()
            self._written.append((at, int(self._primary.rows(WRITTEN, {})[0][0])))
        except (Unavailable, psycopg.Error) as error:  # it may be a standby just now; the replica can still answer
            log.warning("database.position_unknown", error=repr(error))
        try:
            replayed = int(self._replica.rows(REPLAYED, {})[0][0])
        except (Unavailable, psycopg.Error, TypeError) as error:  # no position: nothing was replayed yet
            self.failed(error)
            return
        self._breaker.succeeded()
        while self._written and self._written[0][1] <= replayed:
            self._current_at = self._written.popleft()[0]


class Replica:
    """The replica of one application: ``rows`` for statements that stay, ``run`` and ``caught_up`` for any."""

    def __init__(self, settings: Settings, primary: Reads) -> None:
        there = replace(settings, database_url=settings.database_replica_url)
        self.positions = Positions(settings)
        self._primary, self._reads = primary, Reads(there, name=REPLICA)
        self.lag = Lag(primary, self._reads)
        self._engine = create_engine("postgresql+psycopg://", **engine_options(there))
        connection = WatchedConnection.with_limit(settings.db_silent_seconds)
        event.listen(self._engine, "do_connect", lambda _, __, ___, named: connection.connect(**named))

    def usage(self) -> PoolUsage:
        """Return how much of its pool of reads is used at present."""
        return self._reads.usage()

    def close(self) -> None:
        """Close the connections of `run` and `caught_up` that are not in use, and measure no more."""
        self.lag.stop()
        self._engine.dispose()

    def rows(self, statement: Statement, parameters: Mapping[str, object]) -> list[TupleRow] | None:
        """Return all rows, or None if the primary has to be asked.

        Raises:
            TimedOut: the statement took too long, as it would on the primary.
            Invalid: a value is out of range.
        """
        condition = self.condition()
        found = None
        if condition is not None and self.lag.is_small():
            try:
                found = (
                    self._reads.rows_if(CONDITION, condition, statement, parameters)
                    if condition["position"] or condition["version"]
                    else self._reads.rows(statement, parameters)
                )
            except TimedOut:
                raise
            except Busy:  # its connections are all in use, which says nothing about the replica
                log.info("database.replica_busy")
            except (Unavailable, psycopg.Error) as error:
                self.lag.failed(error)
        metrics.read_behind(server="primary" if found is None else REPLICA)
        return found

    def run(self, work: Callable[[Source], Found], condition: Condition | None) -> Found:
        """Return what work reads from the replica. Raises AskPrimary."""
        if condition is None or not self.lag.is_small():
            metrics.read_behind(server="primary")
            raise AskPrimary
        try:
            with self._engine.connect() as connection:
                if not connection.execute(CONDITION, condition).scalar_one():
                    metrics.read_behind(server="primary")
                    raise AskPrimary
                found = work(connection)
        except (DBAPIError, PoolTimeout) as error:
            if db_errors.sqlstate(error) == db_errors.QUERY_CANCELED:
                raise
            self.lag.failed(error)
            metrics.read_behind(server="primary")
            raise AskPrimary from error
        metrics.read_behind(server=REPLICA)
        return found

    @contextmanager
    def caught_up(self) -> Iterator[Connection | None]:
        """Yield a connection to the replica once it has all that was committed so far; None if that takes too long."""
        with self._connected() as connection:
            condition = _condition(position=int(self._primary.rows(WRITTEN, {})[0][0]))
            has_it = False
            deadline = time.monotonic() + CATCH_UP_SECONDS
            while connection is not None and time.monotonic() < deadline:
                if has_it := bool(connection.execute(CONDITION, condition).scalar_one()):
                    break
                time.sleep(POLL_SECONDS)
            if connection is not None and has_it:
                connection.execute(UNLIMITED)
            metrics.read_behind(server=REPLICA if has_it else "primary")
            try:
                yield connection if has_it else None
            except (DBAPIError, psycopg.Error) as error:
                self.lag.failed(error)  # the next attempt asks the primary
                raise

    @contextmanager
    def _connected(self) -> Iterator[Connection | None]:
        try:
            connection = None if self.lag.is_open else self._engine.connect()
        except (DBAPIError, PoolTimeout) as error:
            self.lag.failed(error)
            connection = None
        try:
            yield connection
        finally:
            if connection is not None:
                connection.close()

    def condition(self) -> Condition | None:
        """Return what the replica must have for the current call; None if the primary has to be asked."""
        caller: Caller | None = g.get("caller")
        if caller is None or not caller.only_reads:
            return None
        if under := g.get("cached_under"):  # what the account wrote changed the version, or is not shown
            name, version = under
            return _condition(name=name, version=version)
        if caller.account_id is None or caller.role is None:
            return ANYTHING
        if "condition" not in g:
            keys = (positions.of_account(caller.account_id), positions.of_role(caller.role))
            position = self.positions.latest(keys)
            g.condition = None if position is None else _condition(position=position)
        return cast("Condition | None", g.condition)


def _condition(*, position: int = 0, name: str = "", version: str = "") -> Condition:
    return {"position": position, "name": name, "version": version}


ANYTHING: Final = _condition()


def init_app(app: Flask, settings: Settings) -> None:
    """Register the replica with the application, if there is one."""
    if settings.database_replica_url:
        app.extensions[REPLICA] = Replica(settings, app.extensions["reads"])


def read(work: Callable[[Source], Found], *, for_caller: bool) -> Found:
    """Return what work reads from the replica if it may, else from the primary by the session.

    ``for_caller``: nothing that the caller's account wrote may be missing. For statements made for one call; others
    take ``read_pool.rows(..., behind=True)``, which costs less.
    """
    replica: Replica | None = current_app.extensions.get(REPLICA)
    if replica is not None and not (db.session.registry.has() and db.session().in_transaction()):
        try:
            return replica.run(work, replica.condition() if for_caller else ANYTHING)
        except AskPrimary:
            pass
    return work(db.session)


@contextmanager
def caught_up() -> Iterator[Connection | None]:
    """Yield a connection for a job's large reads to a replica that has all committed so far; None: ask the primary.

    Errors of the replica pass, and the job's next attempt asks the primary.
    """
    replica: Replica | None = current_app.extensions.get(REPLICA)
    if replica is None:
        yield None
        return
    with replica.caught_up() as connection:
        yield connection
