"""Reads outside of the session: timeouts, lost connections and an unreachable database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db import read_pool
from backend.core.db.read_pool import Reads
from backend.core.db.session import db
from backend.core.errors import Invalid, Unavailable
from backend.settings import Settings


@pytest.fixture
def tries(app: Flask) -> Iterator[str]:
    """Return a statement on a sequence, which rollbacks do not reset."""
    with db.engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE tries"))
    yield "SELECT nextval('tries') AS number"
    with db.engine.begin() as connection:
        connection.execute(text("DROP SEQUENCE tries"))


def test_read_over_statement_timeout_is_not_retried(tries: str, settings: Settings) -> None:
    """A retry would double the wait and the load on the database."""
    reads = Reads(settings)
    reads.rows(text("SELECT set_config('statement_timeout', '500', false) AS limit"), {})
    with pytest.raises(Unavailable):
        reads.rows(text(f"{tries}, pg_sleep(600)"), {})
    with db.engine.connect() as connection:
        assert connection.execute(text(tries)).scalar_one() == 2


def test_read_on_terminated_connection_is_retried_on_new_one(tries: str, settings: Settings) -> None:
    reads = Reads(settings)
    ((pid,),) = reads.rows(text("SELECT pg_backend_pid() AS pid"), {})
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    assert reads.rows(text(tries), {}) == [(1,)]


def test_read_from_unreachable_database_is_rejected_and_frees_its_place(settings: Settings) -> None:
    reads = Reads(replace(settings, database_url="postgresql://127.0.0.1:1/none", db_read_pool_size=1))
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            reads.rows(text("SELECT 1 AS one"), {})
        assert refused.value.code == "unavailable"


def test_reads_after_all_connections_were_terminated_succeed(app: Flask, settings: Settings) -> None:
    """All idle connections are terminated; each later read opens a new one."""
    reads, slow = Reads(replace(settings, db_read_pool_size=2)), "SELECT pg_backend_pid() AS pid, pg_sleep(0.3)"
    with ThreadPoolExecutor(2) as threads:
        kept = {rows[0][0] for rows in threads.map(lambda _: reads.rows(text(slow), {}), range(2))}
    assert len(kept) == 2
    with db.engine.begin() as connection:
        for pid in kept:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    for _ in range(3):
        ((pid,),) = reads.rows(text("SELECT pg_backend_pid() AS pid"), {})
        assert pid not in kept


def test_read_keeps_types_apart_and_prepared_statements_bounded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_pool, "MAX_PREPARED", 3)
    reads = Reads(replace(settings, db_read_pool_size=1))
    typed = text("SELECT pg_typeof(:value)::text, :value")
    for value, kind in (
        (1, "smallint"),
        (1 << 40, "bigint"),
        (Decimal("1.50"), "numeric"),
        (1, "smallint"),
    ):
        assert reads.rows(typed, {"value": value}) == [(kind, value)]
    names = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'read_%'")
    ((kept,),) = reads.rows(names, {})
    assert 1 <= kept <= 3


def test_read_after_rejected_value_uses_the_same_connection(settings: Settings) -> None:
    reads = Reads(replace(settings, db_read_pool_size=1))
    own = text("SELECT pg_backend_pid()")
    first = reads.rows(own, {})
    with pytest.raises(Invalid):
        reads.rows(text("SELECT CAST(:value AS integer)"), {"value": "x"})
    assert reads.rows(own, {}) == first
