"""Database errors by their SQLSTATE: retried once, busy, timed out, unavailable, or with an unknown outcome."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.domain.accounts import throttle
from backend.settings import Settings
from tests.factories.problems import assert_problem
from tests.factories.requests import RequestMarket
from tests.factories.users import PASSWORD, User, Users

Make = Callable[..., Flask]
DROP = ("DROP TRIGGER IF EXISTS fails ON {table}", "DROP FUNCTION IF EXISTS fails()", "DROP SEQUENCE IF EXISTS tries")
FUNCTION = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('tries') <= {times} THEN {what} END IF;
  RETURN NEW;
END $$
"""
BEFORE = "CREATE TRIGGER fails BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION fails()"
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER fails AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION fails()
"""
TERMINATE_CONNECTION = "PERFORM pg_terminate_backend(pg_backend_pid());"


def fail_with(sqlstate: str) -> str:
    return f"RAISE EXCEPTION USING ERRCODE = '{sqlstate}';"


@contextmanager
def failing(
    what: str, *, times: int = 1, table: str = "accounts", event: str = "UPDATE", trigger: str = BEFORE
) -> Iterator[None]:
    """Make writes to the table fail in the database; a sequence, which rollbacks do not reset, counts them."""
    made = ["CREATE SEQUENCE tries", FUNCTION.format(times=times, what=what), trigger.format(event=event, table=table)]
    _run(made)
    try:
        yield
    finally:
        _run([line.format(table=table) for line in DROP])


def _run(statements: list[str]) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def make(app: Flask, environ: dict[str, str]) -> Iterator[Make]:
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        made.append(create_app(Settings.from_env({**environ, **changes})))
        return made[-1]

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


def edit(app: Flask, user: User) -> Any:
    return app.test_client().patch("/me", json={"address": "14 MG Road"}, headers=user.headers)


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_transaction_with_conflict_is_retried_once_then_rejected_as_busy(
    app: Flask, users: Users, sqlstate: str
) -> None:
    asha = users.customer()
    with failing(fail_with(sqlstate)):
        answer = edit(app, asha)
    assert (answer.status_code, answer.json["address"]) == (200, "14 MG Road")
    with failing(fail_with(sqlstate), times=2):
        answer = edit(app, asha)
    assert "No changes were saved" in assert_problem(answer, 503, "busy")["detail"]


def test_transaction_retried_after_conflict_has_effects_and_rate_limit_once(app: Flask, users: Users) -> None:
    market, asha = RequestMarket(users), users.customer()
    body, headers = market.body(), {"Idempotency-Key": "a-request-1"}
    with failing(fail_with("40P01"), table="task_requests", event="INSERT"):
        made = asha.post("/requests", body, headers=headers)
    assert made.status_code == 201
    left = int(made.headers["RateLimit"].split("r=")[1].split(";")[0])
    again = asha.post("/requests", body, headers=headers)
    assert (again.status_code, again.headers["RateLimit"].split("r=")[1].split(";")[0]) == (201, str(left - 1))
    assert [row["id"] for row in asha.get("/requests").json["items"]] == [made.json["id"]]


def test_multipart_form_after_conflict_is_not_retried(app: Flask, users: Users) -> None:
    fields = {**users.trade_fields(), "task_ids": []}
    with failing(fail_with("40P01"), event="INSERT"):
        answer = app.test_client().post("/add_professional", data=fields, content_type="multipart/form-data")
    assert_problem(answer, 503, "busy")


def test_update_of_row_locked_too_long_is_rejected_as_busy(make: Make, users: Users) -> None:
    asha, short_timeout = users.customer(), make(DB_LOCK_TIMEOUT_MS="100")
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM accounts WHERE id = :id FOR UPDATE"), {"id": asha.id})
        answer = edit(short_timeout, asha)
    assert_problem(answer, 503, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert edit(short_timeout, asha).status_code == 200


def test_update_that_exceeds_statement_timeout_is_rejected_as_timeout(make: Make, users: Users) -> None:
    asha, short_timeout = users.customer(), make(DB_STATEMENT_TIMEOUT_MS="150")
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM accounts WHERE id = :id FOR UPDATE"), {"id": asha.id})
        answer = edit(short_timeout, asha)
    assert "No changes were saved" in assert_problem(answer, 503, "timeout")["detail"]


def test_read_that_exceeds_statement_timeout_is_rejected_as_timeout(make: Make, users: Users) -> None:
    asha, short_timeout = users.customer(), make(DB_STATEMENT_TIMEOUT_MS="150")
    with db.engine.begin() as connection:
        connection.execute(text("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"))
        answer = short_timeout.test_client().get("/me", headers=asha.headers)
    assert_problem(answer, 503, "timeout")


def test_connection_lost_before_commit_reports_no_changes_saved(app: Flask, users: Users) -> None:
    asha = users.customer()
    with failing(TERMINATE_CONNECTION):
        answer = edit(app, asha)
    assert "No changes were saved" in assert_problem(answer, 503, "unavailable")["detail"]
    assert asha.get("/me").json["address"] == "12 MG Road"


def test_connection_lost_during_commit_reports_unknown_outcome(app: Flask, users: Users) -> None:
    asha = users.customer()
    with failing(TERMINATE_CONNECTION, trigger=AT_COMMIT):
        answer = edit(app, asha)
    detail = assert_problem(answer, 503, "outcome_unknown")["detail"]
    assert "check whether they were saved" in detail
    assert not any(claim in detail for claim in ("No changes", "Nothing", "not saved"))
    assert int(answer.headers["Retry-After"]) >= 1


def test_conflict_at_commit_is_retried(app: Flask, users: Users) -> None:
    asha = users.customer()
    with failing(fail_with("40001"), trigger=AT_COMMIT):
        assert edit(app, asha).status_code == 200


def sign_in(app: Flask, user: User) -> Any:
    """Sign in: its statements go to the driver past SQLAlchemy."""
    return app.test_client().post("/check", json={"username": user.username, "password": PASSWORD, "client": "api"})


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_sign_in_with_conflict_is_retried_once_then_rejected_as_busy(app: Flask, users: Users, sqlstate: str) -> None:
    asha = users.customer()
    with failing(fail_with(sqlstate), table="sessions", event="INSERT"):
        assert sign_in(app, asha).status_code == 200
    with failing(fail_with(sqlstate), times=2, table="sessions", event="INSERT"):
        assert_problem(sign_in(app, asha), 503, "busy")


def test_sign_in_to_account_locked_too_long_is_rejected_as_busy(make: Make, users: Users) -> None:
    asha, short_timeout = users.customer(), make(DB_LOCK_TIMEOUT_MS="100")
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM accounts WHERE id = :id FOR UPDATE"), {"id": asha.id})
        assert_problem(sign_in(short_timeout, asha), 503, "busy")
    assert sign_in(short_timeout, asha).status_code == 200


def test_sign_in_while_another_attempt_takes_too_long_is_rejected_as_busy(make: Make, users: Users) -> None:
    asha, short_timeout = users.customer(), make(DB_LOCK_TIMEOUT_MS="100")
    with transaction():
        throttle.check(throttle.sign_in_attempt(asha.id, asha.username, "127.0.0.1"))
        with ThreadPoolExecutor(1) as another:
            assert_problem(another.submit(sign_in, short_timeout, asha).result(), 503, "busy")
    assert sign_in(short_timeout, asha).status_code == 200


def test_sign_in_whose_connection_is_lost_is_rejected_as_unavailable(app: Flask, users: Users) -> None:
    asha = users.customer()
    with failing(TERMINATE_CONNECTION, table="sessions", event="INSERT"):
        answer = sign_in(app, asha)
    assert "No changes were saved" in assert_problem(answer, 503, "unavailable")["detail"]
    assert sign_in(app, asha).status_code == 200


REPLACED = {
    "/me/hours": ("accounts", {"weekly": [], "exceptions": []}),
    "/me/preferences": ("accounts", {"channels": ["mail"]}),
    "/tasks/{task}/policy": ("tasks", {}),
}


@pytest.mark.parametrize("path", REPLACED)
def test_put_of_whole_resource_waits_for_lock_on_its_owner(make: Make, users: Users, path: str) -> None:
    market, (table, body) = RequestMarket(users), REPLACED[path]
    caller = users.admin() if table == "tasks" else market.professional()
    short_timeout = make(DB_LOCK_TIMEOUT_MS="100").test_client()
    url, owner = path.format(task=market.task_id), market.task_id if table == "tasks" else caller.id
    with db.engine.begin() as connection:
        connection.execute(text(f"SELECT FROM {table} WHERE id = :id FOR NO KEY UPDATE"), {"id": owner})
        assert_problem(short_timeout.put(url, json=body, headers=caller.headers), 503, "busy")
    assert short_timeout.put(url, json=body, headers=caller.headers).status_code == 200
