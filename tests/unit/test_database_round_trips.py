"""Statements that share a round trip with BEGIN or COMMIT, and connections that are not pinged before each use."""

import traceback

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from backend.core.db import session
from backend.core.db.session import db, execute_at_commit, execute_together, ping_only_idle, transaction

NAME = "of_round_trips"
SECRET = "leak91c2@example.com"
ADD = b"INSERT INTO market_settings (name, value) VALUES (%(name)s, to_jsonb(1))"
FIND = text("SELECT count(*) FROM market_settings WHERE name = :name")
PID = text("SELECT pg_backend_pid()")


def found(name: str = NAME) -> int:
    count = int(db.session.execute(FIND, {"name": name}).scalar_one())
    db.session.rollback()
    return count


def test_statement_at_commit_is_executed_once_with_its_transaction(app: Flask) -> None:
    with transaction():
        assert execute_together((b"SELECT %(number)s::int", {"number": 7})) == [(7,)]
        execute_at_commit(ADD, {"name": NAME})
        assert db.session.execute(FIND, {"name": NAME}).scalar_one() == 0
    assert found() == 1


def add_and_fail() -> None:
    with transaction():
        execute_at_commit(ADD, {"name": NAME})
        raise LookupError


def add_twice() -> None:
    with transaction():
        db.session.execute(text("INSERT INTO market_settings (name, value) VALUES ('before', to_jsonb(1))"))
        for _ in range(2):
            execute_at_commit(ADD, {"name": SECRET})


def add_on_broken_connection() -> None:
    with transaction():
        ((pid,),) = execute_together((b"SELECT pg_backend_pid()", {}))
        terminate(pid)
        execute_at_commit(ADD, {"name": NAME})


def terminate(pid: int) -> None:
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def test_statement_at_commit_of_failed_transaction_is_not_executed(app: Flask) -> None:
    with pytest.raises(LookupError):
        add_and_fail()
    assert found() == 0


def test_failed_statement_at_commit_rolls_back_all_and_shows_no_values(app: Flask) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        add_twice()
    assert (found(SECRET), found("before")) == (0, 0)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_broken_connection_is_replaced_after_failed_pipeline(app: Flask) -> None:
    with pytest.raises(psycopg.OperationalError):
        add_on_broken_connection()
    with transaction():
        execute_at_commit(ADD, {"name": NAME})
    assert found() == 1


def test_only_idle_connections_are_pinged(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = session.connect_arguments(app.extensions["settings"])
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(arguments["conninfo"]),
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
    )
    pinged: list[object] = []
    ping = engine.dialect.do_ping

    def note(connection: DBAPIConnection) -> bool:
        pinged.append(connection)
        return ping(connection)

    monkeypatch.setattr(engine.dialect, "do_ping", note)
    ping_only_idle(engine)
    with engine.connect() as connection:
        pid = connection.execute(PID).scalar_one()
    with engine.connect() as connection:
        connection.execute(PID)
    assert pinged == []
    terminate(pid)
    with engine.connect() as connection:
        pid, ended = connection.execute(PID).scalar_one(), pid
    assert pid != ended, "its end shows on the socket, however short ago it was used"
    assert len(pinged) == 1
    monkeypatch.setattr(session, "PING_AFTER_SECONDS", 0.0)
    terminate(pid)
    with engine.connect() as connection:
        assert connection.execute(PID).scalar_one() != pid
    assert len(pinged) == 2
    engine.dispose()
