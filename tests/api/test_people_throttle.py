"""Failed sign-ins are counted; too many within a quarter of an hour are answered 429 for the rest of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from backend.core.turns import Turns
from tests.factories.people import PASSWORD, People

WRONG = "not this one"


def attempt(people: People, name: str, password: str = WRONG, *, address: str = "192.0.2.1") -> Any:
    body = {"username": name, "password": password}
    return people.visitor().post("/check", body, environ_overrides={"REMOTE_ADDR": address})


def test_ten_for_an_account_from_one_address(people: People) -> None:
    asha = people.customer()
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC), tick=False) as traveller:
        names = [asha.username, f"{asha.username}@example.org", asha.username.upper()]
        codes = [attempt(people, names[number % 3]).status_code for number in range(10)]
        assert codes == [401] * 10
        answer = attempt(people, asha.username, PASSWORD)
        assert (answer.status_code, answer.json["code"]) == (429, "too_many_tries")
        assert int(answer.headers["Retry-After"]) == 900
        assert attempt(people, asha.username, PASSWORD, address="192.0.2.2").status_code == 200
        traveller.shift(899)
        assert attempt(people, asha.username, PASSWORD).status_code == 429
        traveller.shift(2)
        assert attempt(people, asha.username, PASSWORD).status_code == 200


def test_a_right_password_does_not_wipe_the_count(people: People) -> None:
    asha = people.customer()
    for _ in range(9):
        attempt(people, asha.username)
    assert attempt(people, asha.username, PASSWORD).status_code == 200
    assert attempt(people, asha.username).status_code == 401
    assert attempt(people, asha.username, PASSWORD).status_code == 429


def test_names_that_nobody_has_are_throttled_alike(people: People) -> None:
    codes = [attempt(people, "nobody.at.all").status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_fifty_for_an_account_from_anywhere(people: People) -> None:
    asha = people.customer()
    for number in range(50):
        assert attempt(people, asha.username, address=f"192.0.2.{number}").status_code == 401
    assert attempt(people, asha.username, PASSWORD, address="198.51.100.1").status_code == 429


def test_a_hundred_for_an_address(people: People) -> None:
    asha = people.customer()
    for number in range(100):
        assert attempt(people, f"someone{number}").status_code == 401
    assert attempt(people, asha.username, PASSWORD).status_code == 429
    assert attempt(people, asha.username, PASSWORD, address="192.0.2.2").status_code == 200


def test_many_tries_at_once_do_not_slip_through(people: People, app: Flask) -> None:
    asha = people.customer()
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: attempt(people, asha.username).status_code, range(24)))
    assert sorted(codes) == [401] * 10 + [429] * 14


def test_a_full_line_is_answered_at_once_and_everything_else_goes_on(
    people: People, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = people.customer()
    full = Turns(1, most=1)
    monkeypatch.setattr(app.extensions["passwords"], "line", full)
    with full.taken(otherwise="the line was empty"):
        answer = attempt(people, asha.username, PASSWORD)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "5"
        assert asha.get("/me").status_code == 200
    assert attempt(people, asha.username, PASSWORD).status_code == 200
