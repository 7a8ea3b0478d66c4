"""Rate limits, their headers, and that they hold while Valkey is unavailable."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.api.test_database_errors import TERMINATE_CONNECTION, fail_with, failing
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

Make = Callable[..., Flask]


@pytest.fixture
def make(app: Flask, environ: dict[str, str]) -> Iterator[Make]:
    """Return a factory of applications with their own limits and an empty storage."""
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        url = environ["REDIS_URL"].rsplit("/", 1)[0] + "/9"
        made.append(create_app(Settings.from_env({**environ, "LIMITS_URL": url, **changes})))
        return made[-1]

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


def sign_up(app: Flask, users: Users, address: str = "203.0.113.9") -> Any:
    return app.test_client().post(
        "/add_customer", json=users.fields("flood"), environ_overrides={"REMOTE_ADDR": address}
    )


@pytest.mark.parametrize("storage", ["valkey", "away"])
def test_sign_ups_over_limit_of_address_return_429_with_or_without_valkey(
    make: Make, users: Users, storage: str
) -> None:
    away = {"LIMITS_URL": "redis://127.0.0.1:9/0"} if storage == "away" else {}
    app = make(SIGNUP_RATE_LIMIT="3 per hour", **away)
    address = "203.0.113.1" if storage == "away" else "203.0.113.2"
    left = []
    for _ in range(3):
        answer = sign_up(app, users, address)
        assert answer.status_code == 201
        left.append(answer.headers["RateLimit"].split(";")[1])
    assert left == ["r=2", "r=1", "r=0"]
    refused = sign_up(app, users, address)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["RateLimit-Policy"] == '"signup";q=3;w=3600'
    assert sign_up(app, users, f"{address}0").status_code == 201


@pytest.mark.parametrize("storage", ["valkey", "away"])
def test_sign_ups_that_fail_with_the_database_are_not_counted(make: Make, users: Users, storage: str) -> None:
    away = {"LIMITS_URL": "redis://127.0.0.1:9/0"} if storage == "away" else {}
    app, address = make(SIGNUP_RATE_LIMIT="2 per hour", **away), f"203.0.113.{30 if away else 31}"
    with failing(TERMINATE_CONNECTION, table="accounts", event="INSERT", times=1000):
        for _ in range(3):
            refused = sign_up(app, users, address)
            assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
            assert "RateLimit" not in refused.headers
    with failing(fail_with("55P03"), table="accounts", event="INSERT", times=1):
        busy = sign_up(app, users, address)
    assert (busy.status_code, busy.json["code"]) == (503, "busy")
    assert "r=1;" in busy.headers["RateLimit"], "the server was there, and did the work"
    assert "r=0;" in sign_up(app, users, address).headers["RateLimit"]
    assert sign_up(app, users, address).status_code == 429


def test_request_limit_is_counted_per_account(make: Make, users: Users) -> None:
    market = RequestMarket(users)
    app = make(REQUEST_RATE_LIMIT="2 per hour")
    asha, ravi = users.customer(), users.customer()

    def ask(headers: dict[str, str]) -> int:
        return app.test_client().post("/requests", json=market.body(), headers=headers).status_code

    assert [ask(asha.headers) for _ in range(3)] == [201, 201, 429]
    assert ask(ravi.headers) == 201


def test_request_limit_does_not_count_unauthenticated_calls(make: Make, users: Users) -> None:
    app = make(REQUEST_RATE_LIMIT="1 per hour")
    answer = app.test_client().post("/requests", json={})
    assert answer.status_code == 401
    assert "RateLimit" not in answer.headers


def test_sign_up_limit_ignores_x_forwarded_for_of_untrusted_clients(make: Make, users: Users) -> None:
    app = make(SIGNUP_RATE_LIMIT="1 per hour")
    for number, status in ((1, 201), (2, 429)):
        answer = app.test_client().post(
            "/add_customer",
            json=users.fields("flood"),
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            environ_overrides={"REMOTE_ADDR": "203.0.113.5"},
        )
        assert answer.status_code == status


def test_sign_up_limit_is_shared_by_ipv6_64_network(make: Make, users: Users) -> None:
    app = make(SIGNUP_RATE_LIMIT="2 per hour")
    codes = [sign_up(app, users, f"2001:db8:5:1:{number}::1").status_code for number in range(3)]
    assert codes == [201, 201, 429]
    assert sign_up(app, users, "2001:db8:5:2::1").status_code == 201


def test_sign_up_limit_of_ipv6_48_network_is_tenfold(make: Make, users: Users) -> None:
    app = make(SIGNUP_RATE_LIMIT="1 per hour")
    answers = [sign_up(app, users, f"2001:db8:6:{number}::1") for number in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"signup";q=1;w=3600'
    assert answers[-1].headers["RateLimit-Policy"] == '"signup";q=10;w=3600'
    assert sign_up(app, users, "2001:db8:7::1").status_code == 201


def test_times_limit_is_counted_per_account_and_for_visitors_per_address(make: Make, users: Users) -> None:
    market = RequestMarket(users)
    app = make(TIMES_RATE_LIMIT="2 per hour")
    asha, ravi = users.customer(), users.customer()
    path = f"/tasks/{market.task_id}/times?pincode=560001&date=2030-01-07"

    def ask(headers: dict[str, str], address: str = "203.0.113.80") -> int:
        client = app.test_client()
        return client.get(path, headers=headers, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [ask({}) for _ in range(3)] == [200, 200, 429]
    assert ask({}, "203.0.113.81") == 200
    assert [ask(asha.headers) for _ in range(3)] == [200, 200, 429]
    assert ask(ravi.headers) == 200
