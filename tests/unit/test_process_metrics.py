"""What a process reports about its connections, password checks and circuit breakers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, create_engine, exc

from backend.core.circuit_breaker import CircuitBreaker
from backend.core.concurrency import FairSemaphore
from backend.core.db.read_pool import ConnectionPool
from backend.core.db.session import CountedPool
from backend.core.errors import Busy
from backend.core.observability import metrics
from backend.core.observability.process_metrics import Sampler
from tests.waiting import HANG_SECONDS, wait_until


def value(name: str, /, **labels: str) -> float:
    """Return a sample's value, 0 where there is none."""
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0.0


def test_sampler_reports_connections_and_password_checks(app: Flask) -> None:
    hasher = app.extensions["passwords"]
    reads: ConnectionPool = app.extensions["reads"]._pool
    before = reads.usage().in_use
    with hasher.queue.acquire(error="busy"):
        taken = reads.take()
        Sampler("web", app).sample()
    assert value("password_checks_in_progress") == 1
    assert value("password_checks_waiting") == 0
    assert value("db_connections_in_use", pool="reads") == before + 1
    assert value("db_connections_limit", pool="session") > 0
    reads.give_back(taken)
    Sampler("web", app).sample()
    assert value("password_checks_in_progress") == 0
    assert value("db_connections_in_use", pool="reads") == before
    assert value("process_cpu_seconds_total", kind="web") > 0


def test_fair_semaphore_reports_holders_and_waiters() -> None:
    semaphore, leave = FairSemaphore(1, seconds=HANG_SECONDS), threading.Event()

    def hold() -> None:
        with semaphore.acquire(error="busy"):
            leave.wait(HANG_SECONDS)

    with ThreadPoolExecutor(3) as threads:
        for _ in range(3):
            threads.submit(hold)
        assert wait_until(lambda: (semaphore.in_use, semaphore.waiting) == (1, 2))
        leave.set()
    assert (semaphore.in_use, semaphore.waiting) == (0, 0)


def test_circuit_breaker_that_opens_is_counted_and_reported(app: Flask) -> None:
    breaker, opened = CircuitBreaker("of-this-test", first=HANG_SECONDS), "circuit_breaker_opened_total"
    Sampler("web", app).sample()
    assert (value("circuit_breakers_open", name="of-this-test"), value(opened, name="of-this-test")) == (0, 0)
    breaker.failed()
    breaker.failed()
    Sampler("web", app).sample()
    assert (value("circuit_breakers_open", name="of-this-test"), value(opened, name="of-this-test")) == (1, 1)
    breaker.succeeded()
    Sampler("web", app).sample()
    assert value("circuit_breakers_open", name="of-this-test") == 0


@pytest.fixture
def engine(app: Flask, postgres_url: str) -> Iterator[Engine]:
    """Return an engine with one connection."""
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    made = create_engine(url, poolclass=CountedPool, pool_size=1, max_overflow=0, pool_timeout=0.1)
    yield made
    made.dispose()


def test_wait_for_connection_is_counted_only_where_none_is_free(engine: Engine) -> None:
    pool = engine.pool
    assert isinstance(pool, CountedPool)
    before = value("db_pool_wait_seconds_count", pool="session")
    with engine.connect():
        assert pool.usage() == (1, 1, 0)
        assert value("db_pool_wait_seconds_count", pool="session") == before
        with pytest.raises(exc.TimeoutError):
            engine.connect()
    assert value("db_pool_wait_seconds_count", pool="session") == before + 1
    assert pool.usage() == (1, 0, 0)


def test_wait_for_read_connection_is_counted_only_where_none_is_free(app: Flask) -> None:
    pool = ConnectionPool(size=1, timeout_seconds=0.1)
    before = value("db_pool_wait_seconds_count", pool="reads")
    assert pool.take() is None
    assert value("db_pool_wait_seconds_count", pool="reads") == before
    with pytest.raises(Busy):
        pool.take()
    assert value("db_pool_wait_seconds_count", pool="reads") == before + 1
    pool.give_back(None)
    assert pool.usage() == (1, 0, 0)
