"""The pool of connections for reads: bounded, fair, shrinking, and each process its own."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from backend.core.db.read_pool import Connection, ConnectionPool
from backend.core.errors import Busy
from tests.waiting import wait_until

PLACES = 3
Connect = Callable[[], Connection]


@pytest.fixture
def connect(postgres_url: str) -> Connect:
    return lambda: psycopg.connect(postgres_url, autocommit=True)


@pytest.fixture
def pool() -> Iterator[ConnectionPool]:
    pool = ConnectionPool(size=PLACES, timeout_seconds=0.2)
    yield pool
    pool.clear()


def test_there_are_never_more_connections_than_places(connect: Connect) -> None:
    pool, lock = ConnectionPool(size=PLACES, timeout_seconds=30), threading.Lock()
    lent, most, opened = 0, 0, 0

    def read(_: int) -> int:
        nonlocal lent, most, opened
        connection = pool.take()
        with lock:
            lent += 1
            most = max(most, lent)
            opened += connection is None
        connection = connection or connect()
        try:
            return int(connection.execute("SELECT 1").fetchall()[0][0])
        finally:
            with lock:
                lent -= 1
            pool.give_back(connection)

    with ThreadPoolExecutor(24) as threads:
        assert sum(threads.map(read, range(2000))) == 2000
    assert most <= PLACES
    assert opened <= PLACES, "connections are kept, not opened again"
    pool.clear()


def test_a_wait_without_an_end_is_refused(pool: ConnectionPool) -> None:
    for _ in range(PLACES):
        assert pool.take() is None
    with pytest.raises(Busy) as refused:
        pool.take()
    assert refused.value.retry_after
    pool.give_back(None)
    assert pool.take() is None, "whoever was refused holds no place"


def test_who_waits_is_served_before_who_comes_later(pool: ConnectionPool, connect: Connect) -> None:
    patient = ConnectionPool(size=1, timeout_seconds=30)
    assert patient.take() is None
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(patient.take)
        assert wait_until(lambda: bool(patient._state.waiters))
        connection = connect()
        patient.give_back(connection)
        assert first.result() is connection
    patient.give_back(connection)
    patient.clear()


def test_a_broken_connection_gives_its_place_to_who_waits(connect: Connect) -> None:
    pool = ConnectionPool(size=1, timeout_seconds=30)
    pool.take()
    broken = connect()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.take)
        assert wait_until(lambda: bool(pool._state.waiters))
        broken.close()
        pool.give_back(broken)
        assert waiting.result() is None


def test_a_connection_in_the_middle_of_something_is_not_lent_again(pool: ConnectionPool, connect: Connect) -> None:
    pool.take()
    connection = connect()
    connection.execute("BEGIN")
    pool.give_back(connection)
    assert connection.closed
    assert pool.take() is None


def test_idle_connections_are_closed(connect: Connect) -> None:
    pool = ConnectionPool(size=PLACES, timeout_seconds=1, idle_seconds=0.1)
    for _ in range(PLACES):
        pool.take()
    connections = [connect() for _ in range(PLACES)]
    for connection in connections:
        pool.give_back(connection)
    assert wait_until(lambda: all(connection.closed for connection in connections))
    assert wait_until(lambda: pool._state.opened == 0)


def test_a_forked_process_begins_with_none_and_leaves_its_parents_alone(pool: ConnectionPool, connect: Connect) -> None:
    pool.take()
    connection = connect()
    pool.give_back(connection)
    child = os.fork()
    if child == 0:
        os._exit(0 if pool.take() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    kept = pool.take()
    assert kept is connection
    assert kept.execute("SELECT 1").fetchone() == (1,)
    pool.give_back(kept)
