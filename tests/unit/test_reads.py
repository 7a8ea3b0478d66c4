"""Reads beside the session: what a connection that is kept for them goes through."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.database import db
from backend.core.errors import Unavailable
from backend.core.reads import Reads
from backend.settings import Settings


@pytest.fixture
def tries(app: Flask) -> Iterator[str]:
    """A counter that no rollback takes back."""
    with db.engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE tries"))
    yield "SELECT nextval('tries') AS number"
    with db.engine.begin() as connection:
        connection.execute(text("DROP SEQUENCE tries"))


def test_what_takes_too_long_is_not_tried_a_second_time(tries: str, settings: Settings) -> None:
    """Who waits for an answer would wait twice as long, and so would the database."""
    reads = Reads(settings)
    reads.rows(text("SELECT set_config('statement_timeout', '500', false) AS limit"), {})
    with pytest.raises(Unavailable):
        reads.rows(text(f"{tries}, pg_sleep(600)"), {})
    with db.engine.connect() as connection:
        assert connection.execute(text(tries)).scalar_one() == 2


def test_a_connection_that_was_cut_is_replaced(tries: str, settings: Settings) -> None:
    reads = Reads(settings)
    (kept,) = reads.rows(text("SELECT pg_backend_pid() AS pid"), {})
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": kept.pid})
    assert [row.number for row in reads.rows(text(tries), {})] == [1]
