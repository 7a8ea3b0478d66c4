"""What people typed stays out of the messages of database errors, and so out of every log."""

import io
import logging
import traceback

import psycopg
import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from backend.core.db.session import db

SECRET = "leak57e196@example.com"
CONFLICT = """
    INSERT INTO market_settings (name, value) VALUES (:name, to_jsonb(CAST(:name AS text))),
                                                    (:name, to_jsonb(CAST(:name AS text)))
"""
BAD_ROW = "INSERT INTO market_settings (name, value) VALUES (:name, NULL)"


@pytest.mark.parametrize("statement", [CONFLICT, BAD_ROW])
def test_a_failing_statement_tells_nobody_its_values(app: Flask, statement: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(text(statement), {"name": SECRET})
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.orig)
    assert SECRET not in told
    assert "constraint" in told, "what went wrong is still said"
    assert caught.value.orig is not None


def test_the_constraint_is_still_known_to_code(app: Flask) -> None:
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(text(CONFLICT), {"name": SECRET})
    assert isinstance(caught.value.orig, psycopg.errors.UniqueViolation)
    assert caught.value.orig.diag.constraint_name == "pk_market_settings"


def test_a_value_that_cannot_be_read_is_not_quoted(app: Flask) -> None:
    with pytest.raises(DataError) as caught:
        db.session.execute(text("SELECT CAST(:value AS bigint)"), {"value": SECRET})
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_logged_failure_holds_no_values(app: Flask) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("failing").addHandler(handler)
    try:
        db.session.execute(text(CONFLICT), {"name": SECRET})
    except IntegrityError:
        structlog.get_logger("failing").exception("job.failed")
    logging.getLogger("failing").removeHandler(handler)
    assert "job.failed" in stream.getvalue()
    assert SECRET not in stream.getvalue()
