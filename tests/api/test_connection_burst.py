"""The number of database connections that a web process opens under load."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db import connection_budget, read_pool
from backend.core.db.session import db
from tests.api.conftest import MakeApp

THREADS, FOR_CHANGES, FOR_READS = 24, 4, 3
OURS = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = %s"


@pytest.fixture
def burst_app(app: Flask, make: MakeApp, environ: dict[str, str]) -> Flask:
    """Return an application whose connections are recognised by their application_name."""
    url = f"{environ['DATABASE_URL']}?application_name=burst-{uuid4().hex[:8]}"
    pools = {"DB_POOL_SIZE": str(FOR_CHANGES), "DB_READ_POOL_SIZE": str(FOR_READS), "WEB_WORKERS": "1"}
    return make(DATABASE_URL=url, CACHE_SECONDS="60", **pools)


def test_web_process_under_burst_opens_at_most_connection_budget(burst_app: Flask) -> None:
    """There are more threads than connections; reads, writes and cached responses overlap."""
    settings = burst_app.extensions["settings"]
    plain, _, name = settings.database_url.partition("?application_name=")

    def call(number: int) -> None:
        if number % 3 == 0:
            assert burst_app.test_client().get("/tasks").status_code == 200
            return
        with burst_app.app_context():
            if number % 3 == 1:
                read_pool.one(text("SELECT pg_sleep(0.05)"), {})
            else:
                db.session.execute(text("SELECT pg_sleep(0.05)"))
                db.session.rollback()

    counted = [0]
    with ThreadPoolExecutor(THREADS) as threads, psycopg.connect(plain, autocommit=True) as connection:
        running = [threads.submit(call, number) for number in range(10 * THREADS)]
        while not all(one.done() for one in running):
            counted += connection.execute(OURS, (name,)).fetchone() or ()
        for one in running:
            one.result()
    budget = connection_budget.budget(settings)
    assert budget.web == FOR_CHANGES + FOR_READS + connection_budget.VERSIONS
    assert FOR_CHANGES + FOR_READS <= max(counted) <= budget.web, "the pools were used fully and not exceeded"
