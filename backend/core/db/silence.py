"""Ends waits for a database host that has become silent: it neither answers nor closes its connections.

The limits of TCP notice a host that is gone, but not one that is frozen, or a proxy in between that still confirms what
it no longer forwards. ``statement_timeout`` is the server's own, and never ends when the server is gone. So each wait
for a response is noted. If one takes long, a thread asks the same host for a byte; without it, all waits for that host
end, and connections opened before are not used again. A statement that is slow on a working host goes on.
"""

import os
import socket
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar, cast

import psycopg
import structlog
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, TupleRow, tuple_row

from backend.core.observability import tracing

log = structlog.get_logger(__name__)
COMMIT: Final = b"COMMIT"
PROBE_SECONDS: Final = 3.0
TICK_SECONDS: Final = 0.5
# Every PostgreSQL server and pooler answers it with one byte, before authentication (PostgreSQL 18, 54.2.10).
SSL_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
Host = tuple[str, int]
Result = TypeVar("Result")


@dataclass(slots=True)
class _State:
    lock: threading.Lock = field(default_factory=threading.Lock)
    waits: "set[_Wait]" = field(default_factory=set)
    silent_at: dict[Host, float] = field(default_factory=dict)  # when a host was last found silent
    is_watched: bool = False


_state = _State()


class HostSilent(psycopg.OperationalError):
    """The database's host does not answer any more; whether it received the last statement is unknown."""


@dataclass(slots=True, eq=False)
class _Wait:
    """A wait for a response. ``is_over`` and the socket's end are exchanged under the lock of the watchdog."""

    pgconn: PGconn
    host: Host
    since: float
    limit: float
    is_over: bool = False
    was_ended: bool = False

    def __enter__(self) -> None:
        if not _state.is_watched:
            _start()
        _state.waits.add(self)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        _state.waits.discard(self)
        with _state.lock:
            self.is_over = True
        if self.was_ended and isinstance(error, psycopg.OperationalError):
            raise HostSilent(f"the database's host has not answered for {self.limit:g} seconds") from error


def host_of(pgconn: PGconn) -> Host | None:
    """Return the address of the connection's host; None for a socket file, whose server is on this machine."""
    address = (pgconn.hostaddr or b"").decode()
    return (address, int(pgconn.port or 0)) if address else None


def watched(pgconn: PGconn, host: Host | None, *, opened_at: float, limit: float) -> AbstractContextManager[None]:
    """Watch the block, a wait for a response. After ``limit`` seconds the host is asked whether it is there.

    Raises:
        HostSilent: in the block: the host was silent, and the wait was ended.
        psycopg.OperationalError: it was found silent after the connection was opened, which is closed now.
    """
    if host is None:
        return nullcontext()
    if opened_at < _state.silent_at.get(host, 0.0):
        pgconn.finish()
        raise psycopg.OperationalError("the host was silent after this connection was opened")
    return _Wait(pgconn, host, time.monotonic(), limit)


def _start() -> None:
    """Start the thread of this process."""
    with _state.lock:
        if _state.is_watched:
            return
        _state.is_watched = True
    threading.Thread(target=_watch, args=(_state,), name="database-silence", daemon=True).start()


def _forget_inherited() -> None:
    """Start without waits in a forked process: threads do not survive a fork."""
    global _state  # noqa: PLW0603 - one for each process
    _state = _State()


os.register_at_fork(after_in_child=_forget_inherited)


def _watch(state: _State) -> None:
    while True:
        time.sleep(TICK_SECONDS)
        current = time.monotonic()
        overdue = [wait for wait in state.waits.copy() if current - wait.since >= wait.limit]
        for host in {wait.host for wait in overdue}:
            if not answers(host):
                _end(state, host)
        for wait in overdue:
            wait.since = current  # those of a host that answers are looked at again after the same time


def _end(state: _State, host: Host) -> None:
    """End all waits for a host."""
    state.silent_at[host] = time.monotonic()
    ended = 0
    for wait in state.waits.copy():
        if wait.host == host:
            with state.lock:
                if not wait.is_over:
                    wait.was_ended = True
                    _shut(wait.pgconn)
                    ended += 1
    log.error("database.host_silent", host=host[0], port=host[1], waits_ended=ended)


def _shut(pgconn: PGconn) -> None:
    """End the connection's socket: anyone who waits for a response finds it closed."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(pgconn.socket)) as found:
        found.shutdown(socket.SHUT_RDWR)


def answers(host: Host) -> bool:
    """Return whether something at the host answers as PostgreSQL would."""
    try:
        with socket.create_connection(host, timeout=PROBE_SECONDS) as probe:
            probe.sendall(SSL_REQUEST)
            return bool(probe.recv(1))
    except OSError:
        return False


class WatchedConnection(psycopg.Connection[TupleRow]):
    """A connection whose waits are watched, with ``limit`` seconds until the host is asked whether it is there."""

    limit = 5.0

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[TupleRow] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self._opened_at, self._host = time.monotonic(), host_of(pgconn)

    @classmethod
    def with_limit(cls, seconds: float) -> type[Self]:
        """Return the class with another limit."""
        return cast("type[Self]", type(cls.__name__, (cls,), {"limit": seconds}))

    def commit(self) -> None:
        """Commit."""
        if self.pgconn.transaction_status == TransactionStatus.IDLE:  # nothing is sent
            super().commit()
            return
        with tracing.statement(COMMIT):
            super().commit()

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Wait for the server, as all statements of a cursor, COMMIT and ROLLBACK do."""
        with self.watched():
            return super().wait(gen, interval, timeout)

    def watched(self) -> AbstractContextManager[None]:
        """Watch a wait that does not go through psycopg."""
        return watched(self.pgconn, self._host, opened_at=self._opened_at, limit=self.limit)
