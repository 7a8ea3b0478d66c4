"""Reads from a replica: under which condition it is asked, and when the primary is asked instead.

The tests' own server stands for the replica: it has everything at once, so conditions are made that it cannot meet.
"""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from flask import Flask, g
from sqlalchemy import create_engine, text

from backend.app import create_app
from backend.core.cache import versions
from backend.core.cache.versions import CATALOGUE
from backend.core.db import positions, read_pool, replica
from backend.core.db.read_pool import MAX_PREPARED, REPLICA, Reads, numbered
from backend.core.db.replica import ANYTHING, Caller, Lag, Replica
from backend.core.db.session import db, position_of_commit, transaction
from backend.core.errors import Unavailable
from backend.core.observability import metrics
from backend.core.security.authz import Role
from backend.domain.dashboard import queries as dashboard
from backend.domain.exports import actions as exports
from backend.domain.reports import months
from backend.domain.reports import statistics as reports
from backend.settings import Settings
from tests.factories import closed_requests as made
from tests.factories.users import Users
from tests.waiting import wait_until

WHERE = text("SELECT current_setting('application_name')")
NOWHERE = "postgresql://127.0.0.1:1/none"
HERE, THERE = "primary", "the replica"
HOLDS = text("SELECT CAST(:holds AS boolean)")
NUMBER = text("SELECT CAST(:number AS int)")
CUSTOMER = Caller(7, Role.CUSTOMER, only_reads=True)
VERSION = text("SELECT CAST(version AS text) FROM cache_versions WHERE name = :name")


def with_name(url: str, name: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}application_name={name}"


@pytest.fixture
def replicated(app: Flask, settings: Settings) -> Iterator[Flask]:
    """Return an application with a replica, once it is known to be current."""
    here, there_url = (with_name(settings.database_url, name) for name in (HERE, "the%20replica"))
    made = create_app(replace(settings, database_url=here, database_replica_url=there_url))
    with made.app_context():
        there: Replica = made.extensions[REPLICA]
        assert wait_until(there.lag.is_small)
        yield made
        db.session.remove()
        db.engine.dispose()
        there.close()


def asked(caller: Caller | None = CUSTOMER) -> str:
    """Return which server answers a read that may be behind."""
    if caller is not None:
        g.caller = caller
    g.pop("condition", None)
    name: str = read_pool.one(WHERE, {}, behind=True)[0]
    return name


def test_read_if_returns_rows_only_where_condition_holds(settings: Settings, app: Flask) -> None:
    reads = Reads(replace(settings, db_read_pool_size=1))
    for number in range(MAX_PREPARED + 3):  # beyond the statements that a connection keeps
        statement = text(f"SELECT CAST(:number AS int) + {number}")
        assert reads.rows_if(HOLDS, {"holds": True}, statement, {"number": 1}) == [(number + 1,)]
    assert reads.rows_if(HOLDS, {"holds": False}, NUMBER, {"number": 1}) is None
    unprepared = Reads(replace(settings, db_read_pool_size=1, db_prepare=False))
    assert unprepared.rows_if(HOLDS, {"holds": True}, NUMBER, {"number": 2}) == [(2,)]
    with pytest.raises(psycopg.errors.UndefinedTable):
        reads.rows_if(HOLDS, {"holds": True}, text("SELECT FROM nothing"), {})
    ((pid,),) = reads.rows(text("SELECT pg_backend_pid()"), {})
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    assert reads.rows_if(HOLDS, {"holds": True}, NUMBER, {"number": 3}) == [(3,)]
    assert numbered(NUMBER) is numbered(NUMBER)


def test_reads_of_calls_that_only_read_ask_the_replica_and_others_do_not(replicated: Flask) -> None:
    assert asked() == THERE
    assert asked(Caller(None, None, only_reads=True)) == THERE
    assert asked(CUSTOMER._replace(only_reads=False)) == HERE
    g.caller = CUSTOMER
    assert read_pool.one(WHERE, {})[0] == HERE
    assert replica.read(lambda source: source.execute(WHERE).scalar_one(), for_caller=True) == THERE
    with replica.caught_up() as connection:
        assert connection is not None
        assert connection.execute(WHERE).scalar_one() == THERE
    db.session.execute(text("SELECT 1"))  # from here on, reads see the changes of the call itself
    assert asked() == HERE


def test_account_that_wrote_is_not_served_by_replica_without_it(
    replicated: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "CONDITION", text("SELECT :position = 0 AND :name = :version"))
    there: Replica = replicated.extensions[REPLICA]
    other = CUSTOMER._replace(account_id=8)
    g.caller = CUSTOMER
    with transaction():
        db.session.execute(text("SELECT 1"))
    assert position_of_commit() is None  # nothing was changed
    assert asked() == THERE
    with transaction():
        positions.need([positions.of_role(Role.ADMIN)])
        versions.change("changed")
    noted = position_of_commit()
    assert noted is not None
    assert (asked(), asked(other), asked(other._replace(role=Role.ADMIN))) == (HERE, THERE, HERE)
    key = positions.of_account(7)
    there.positions.note(noted - 1, [key])  # an earlier change, noted late
    assert there.positions.latest([key]) == noted
    with transaction():
        positions.need([positions.of_account(8)])
        versions.change("changed")
        db.session.rollback()
    assert asked(other) == THERE


def test_cached_content_is_read_from_replica_only_under_its_version(replicated: Flask, users: Users) -> None:
    g.caller = Caller(None, None, only_reads=True)
    ((version,),) = read_pool.rows(VERSION, {"name": CATALOGUE}) or [("",)]
    with replica.cached_under(CATALOGUE, version):
        assert asked(None) == THERE
    with replica.cached_under(CATALOGUE, "00000000-0000-4000-8000-000000000000"):
        assert asked(None) == HERE


def test_primary_is_asked_while_replica_or_valkey_is_unavailable(
    replicated: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: Replica = replicated.extensions[REPLICA]
    monkeypatch.setattr(there, "positions", positions.Positions(replace(settings, cache_url="redis://127.0.0.1:1/0")))
    assert (asked(), asked(Caller(None, None, only_reads=True))) == (HERE, THERE)
    monkeypatch.undo()
    monkeypatch.setattr(there, "_reads", Reads(replace(settings, database_url=NOWHERE)))
    assert asked() == HERE
    assert not there.lag.is_small()
    assert wait_until(there.lag.is_small)  # the measuring thread found it again


def test_lag_is_the_age_of_the_last_position_that_replica_has(settings: Settings) -> None:
    class Server:
        position = 100

        def rows(self, *_: object) -> list[tuple[int]]:
            if self.position < 0:
                raise Unavailable
            return [(self.position,)]

    primary, there = Server(), Server()
    lag = Lag(primary, there)  # type: ignore[arg-type]  # they have what it calls

    def measured() -> float | None:
        lag.measure()
        return lag._current_at

    there.position = 99
    assert measured() is None
    there.position = 100
    first = measured()
    assert first is not None
    primary.position = 200
    assert [measured(), measured()] == [first, first]  # as old as that, however often it is asked
    there.position = 200
    assert (measured() or 0) > first
    there.position = -1
    assert measured() is None
    assert ANYTHING["position"] == 0


def test_statistics_and_exports_come_from_replica_unless_it_is_unavailable(
    app: Flask, users: Users, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_servers: list[str] = []
    there = Replica(replace(settings, database_replica_url=settings.database_url), app.extensions["reads"])
    monkeypatch.setitem(app.extensions, REPLICA, there)
    monkeypatch.setattr(metrics, "read_behind", lambda *, server: asked_servers.append(server))
    admin, closed = users.admin(), made.request(made.market())

    def servers() -> list[str]:
        """Return who answered the dashboard, a month and an export, whose content is the same."""
        db.session.rollback()  # the reads of a transaction stay in it
        asked_servers.clear()
        assert dashboard.statistics()["closed_work"] != {}
        month = months.running()
        assert reports.compute(month, [closed.customer_id])[closed.customer_id].generated_at is not None
        assert admin.post("/exports", {}).status_code == 202
        assert made.run_jobs(exports.TOPIC.name) == ["done"]
        newest = admin.get("/exports").json["items"][0]
        assert (newest["status"], newest["rows"]) == ("done", 1)
        return list(asked_servers)

    try:
        assert wait_until(there.lag.is_small)
        assert servers() == ["replica"] * 3
        there.close()
        monkeypatch.setattr(there, "_engine", create_engine("postgresql+psycopg://127.0.0.1:1/none"))
        assert set(servers()) == {"primary"}
    finally:
        there.close()
