"""User input is removed from the messages of database errors, and so from every log."""

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
def test_integrity_error_message_does_not_contain_values(app: Flask, statement: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(text(statement), {"name": SECRET})
    message = "".join(traceback.format_exception(caught.value)) + repr(caught.value.orig)
    assert SECRET not in message
    assert "constraint" in message, "the cause is still reported"
    assert caught.value.orig is not None


def test_integrity_error_keeps_constraint_name(app: Flask) -> None:
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(text(CONFLICT), {"name": SECRET})
    assert isinstance(caught.value.orig, psycopg.errors.UniqueViolation)
    assert caught.value.orig.diag.constraint_name == "pk_market_settings"


def test_data_error_message_does_not_contain_value(app: Flask) -> None:
    with pytest.raises(DataError) as caught:
        db.session.execute(text("SELECT CAST(:value AS bigint)"), {"value": SECRET})
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_logged_database_error_does_not_contain_values(app: Flask) -> None:
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
