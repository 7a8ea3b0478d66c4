"""Servers for the tests: one PostgreSQL and one Valkey per run, and empty tables for every test that uses them."""

import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.session import db
from backend.core.observability import metrics
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.settings import Settings
from tests.factories.clusters import UNSAFE, start_copy
from tests.factories.users import Users

# Autovacuum would hold locks that the next test waits for; EMPTY_TABLES makes the tables small again.
FAST = {**UNSAFE, "autovacuum": "off"}
# TRUNCATE makes a new file for each table and index, which takes many times as long as deleting the few rows of a test.
# All tables are locked first, so that what another connection is about to commit is removed too.
EMPTY_TABLES = """
DO $$
DECLARE
    kept CONSTANT text := '^(places|place_imports|localities|regions|alembic_version)';
    tables CONSTANT text[] := ARRAY(
        SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename !~ (kept || '$')
    );
    one text;
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE 'LOCK TABLE ' || array_to_string(tables, ', ') || ' IN ACCESS EXCLUSIVE MODE';
    IF (SELECT max(pg_relation_size(name::regclass)) FROM unnest(tables) AS name) > 1000000 THEN
        EXECUTE 'TRUNCATE ' || array_to_string(tables, ', ') || ' RESTART IDENTITY';
        RETURN;
    END IF;
    FOREACH one IN ARRAY tables LOOP
        IF pg_relation_size(one::regclass) > 0 THEN
            EXECUTE 'DELETE FROM ' || one;
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
        FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename !~ (kept || '_');
END $$
"""
ADMIN_PASSWORD = "an admin's long password"


def pytest_unconfigure() -> None:
    """Let threads of the applications end quietly: their servers have stopped, and pytest has closed its streams."""
    logging.raiseExceptions = False


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start PostgreSQL with a database that has all migrations and places."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), parameters=FAST)
    start_copy(server)
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """Return the URL of that database."""
    return postgres.url


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Valkey and return its URL."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def environ(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the tests' settings as environment variables."""
    data: Path = tmp_path_factory.mktemp("data")
    return {
        "ENV": "test",
        "SECRET_KEY": "only-for-tests-" * 4,
        "DATABASE_URL": postgres_url,
        "REDIS_URL": valkey_url,
        "DATA_DIR": str(data),
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
        "LOG_LEVEL": "warning",
        "DB_STATEMENT_TIMEOUT_MS": "60000",  # a busy machine is slow, not wrong
        "DB_LOCK_TIMEOUT_MS": "30000",
        "DB_POOL_TIMEOUT_SECONDS": "30",
        "DB_IDLE_TRANSACTION_TIMEOUT_MS": "120000",
        "DB_SILENT_SECONDS": "60",
        "SIGNUP_RATE_LIMIT": "100000 per hour",
        "FORGOT_RATE_LIMIT": "100000 per hour",
        "REQUEST_RATE_LIMIT": "100000 per hour",
        "DOCUMENT_RATE_LIMIT": "100000 per hour",
        "EMAIL_CHANGE_RATE_LIMIT": "100000 per hour",
        "EMAIL_TAKEN_RATE_LIMIT": "100000 per hour",
        "MESSAGE_RATE_LIMIT": "100000 per hour",
        "CONVERSATION_RATE_LIMIT": "100000 per hour",
    }


@pytest.fixture(scope="session")
def settings(environ: dict[str, str]) -> Settings:
    return Settings.from_env(environ)


@pytest.fixture(scope="session")
def shared_app(settings: Settings) -> Iterator[Flask]:
    """Return the application on a migrated database with all places and the first admin."""
    metrics.begin(settings)
    app = create_app(settings)
    bootstrap.run(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """Return the application with empty tables, inside an application context."""
    with shared_app.app_context():
        empty_the_market()
        yield shared_app
        db.session.rollback()
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def users(app: Flask) -> Users:
    """Return a factory of signed-in customers, professionals and admins."""
    return Users(app)


def empty_the_market() -> None:
    """Remove all rows except places; the append-only triggers are bypassed as only a superuser can.

    A thread of the previous test, such as the lease renewal, may still hold locks, so that a deadlock is possible.
    The statement is then retried.
    """
    while True:
        try:
            with db.engine.begin() as connection:
                connection.execute(text(EMPTY_TABLES))
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.DeadlockDetected):
                raise
        else:
            return
