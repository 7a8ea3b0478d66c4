"""Every frequent or periodic statement reads a bounded number of rows, by its plan on a market of enough rows."""

from typing import Final

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.domain.professionals import availability
from benchmarks import statements
from benchmarks.data.filling import fill
from benchmarks.data.scales import Scale
from tests.factories.users import Users

# Small enough for a test, and large enough that reading a whole table shows.
MARKET: Final = Scale(
    "test", professionals=3_000, customers=3_000, requests=20_000, tasks=300, notifications=10_000, audit_entries=5_000
)
MOST_ROWS: Final = 1_600  # housekeeping changes 500 rows in a batch, and reads each up to three times
# What these read grows with the market, for the reason given.
GROWING: Final = {
    "admin /reliability?limit=50": "counts each user's cancellations of 90 days, from an index alone",
    "admin /customers?limit=50&q=sharna": "ranks all similar names",
    "reminders, a batch": "looks at a thousand professionals and all requests that wait",
    "reports, a batch": "looks at all requests of five hundred customers",
}


@pytest.fixture
def market(app: Flask, users: Users, postgres_url: str) -> Flask:
    """Return the application on the market; half of its professionals wait for a decision."""
    users.admin()

    def recount() -> int:
        with transaction():
            db.session.execute(
                text("UPDATE professionals SET approval = 'pending' WHERE account_id % 2 = 0 AND approval <> 'pending'")
            )
            return availability.rebuild()

    db.session.remove()
    fill(postgres_url, MARKET, recount=recount, say=lambda _: None)
    return app


def test_statements_read_few_rows_of_tables_that_grow(market: Flask, postgres_url: str) -> None:
    found = dict(statements.costs(market, postgres_url, repeats=1))
    assert set(found) >= set(GROWING)
    much = {
        f"{name}: {cost.sql[:120]}": (cost.rows, cost.scans)
        for name, costs in found.items()
        for cost in costs
        if name not in GROWING and cost.rows > MOST_ROWS
    }
    assert much == {}
