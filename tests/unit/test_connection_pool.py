"""The pool of read connections: bounded, fair, shrinking, and separate per process."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.core.db.read_pool import ConnectionPool, ReadConnection
from backend.core.errors import Busy
from tests.waiting import wait_until

SIZE = 3
Connect = Callable[[], ReadConnection]


@pytest.fixture
def connect(postgres_url: str) -> Connect:
    return lambda: ReadConnection.connect(postgres_url, autocommit=True)


@pytest.fixture
def pool() -> Iterator[ConnectionPool]:
    pool = ConnectionPool(size=SIZE, timeout_seconds=0.2)
    yield pool
    pool.clear()


def test_pool_used_concurrently_never_exceeds_its_size(connect: Connect) -> None:
    pool, lock = ConnectionPool(size=SIZE, timeout_seconds=30), threading.Lock()
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
    assert most <= SIZE
    assert opened <= SIZE, "connections are kept, not opened again"
    pool.clear()


def test_pool_take_over_timeout_is_rejected_as_busy(pool: ConnectionPool) -> None:
    for _ in range(SIZE):
        assert pool.take() is None
    with pytest.raises(Busy) as refused:
        pool.take()
    assert refused.value.retry_after
    pool.give_back(None)
    assert pool.take() is None, "the rejected caller holds no place"


def test_pool_serves_waiting_thread_before_later_ones(pool: ConnectionPool, connect: Connect) -> None:
    single = ConnectionPool(size=1, timeout_seconds=30)
    assert single.take() is None
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(single.take)
        assert wait_until(lambda: bool(single._state.waiters))
        connection = connect()
        single.give_back(connection)
        assert first.result() is connection
    single.give_back(connection)
    single.clear()


def test_pool_with_broken_connection_passes_its_place_to_waiting_thread(connect: Connect) -> None:
    pool = ConnectionPool(size=1, timeout_seconds=30)
    pool.take()
    broken = connect()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.take)
        assert wait_until(lambda: bool(pool._state.waiters))
        broken.close()
        pool.give_back(broken)
        assert waiting.result() is None


def test_pool_with_connection_in_transaction_closes_it(pool: ConnectionPool, connect: Connect) -> None:
    pool.take()
    connection = connect()
    connection.execute("BEGIN")
    pool.give_back(connection)
    assert connection.closed
    assert pool.take() is None


def test_pool_closes_idle_connections(connect: Connect) -> None:
    pool = ConnectionPool(size=SIZE, timeout_seconds=1, idle_seconds=0.1)
    for _ in range(SIZE):
        pool.take()
    connections = [connect() for _ in range(SIZE)]
    for connection in connections:
        pool.give_back(connection)
    assert wait_until(lambda: all(connection.closed for connection in connections))
    assert wait_until(lambda: pool._state.opened == 0)


def test_pool_in_forked_process_starts_empty_and_keeps_parent_connections(
    pool: ConnectionPool, connect: Connect
) -> None:
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
