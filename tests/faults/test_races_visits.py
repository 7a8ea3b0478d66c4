"""Concurrent calls about one visit: tries of the start code, two starts, and a start during a release."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.factories.crowd import at_once
from tests.factories.requests import WHY, do, notified_kinds
from tests.factories.users import User, Users
from tests.factories.visits import Visit, note_reminder

pytestmark = pytest.mark.faults


def call(app: Flask, who: User, path: str, body: Any = None) -> list[tuple[int, str | None]]:
    """Call with a client of the thread's own; return status and error code."""
    answer = app.test_client().post(path, json=body, headers=who.headers)
    return [(answer.status_code, (answer.json or {}).get("code") if answer.status_code >= 400 else None)]


def calls(app: Flask, *works: Any) -> Counter[tuple[int, str | None]]:
    return Counter(found for result in at_once(app, works) for found in result)


def test_twenty_parallel_guesses_get_five_tries(wide_app: Flask, users: Users) -> None:
    visit = Visit(users, {"start_code": "required"})
    right = int(visit.code)
    guesses = [{"code": f"{(right + number) % 10_000:04}"} for number in range(1, 21)]
    found = calls(wide_app, *(partial(call, wide_app, visit.ravi, f"{visit.path}/start", guess) for guess in guesses))
    assert found == {(422, "wrong_code"): 5, (429, "too_many_tries"): 15}
    assert visit.call(visit.ravi, "start", {"code": visit.code}).status_code == 429


def test_right_code_among_parallel_guesses_starts_once_or_is_locked_out(wide_app: Flask, users: Users) -> None:
    visit = Visit(users, {"start_code": "required"})
    right = int(visit.code)
    guesses = [{"code": f"{(right + number) % 10_000:04}"} for number in range(20)]
    found = calls(wide_app, *(partial(call, wide_app, visit.ravi, f"{visit.path}/start", guess) for guess in guesses))
    is_started = visit.seen_by(visit.ravi)["started_at"] is not None
    assert found[200, None] == int(is_started)
    assert found[422, "wrong_code"] <= 5
    assert found.total() == 20
    assert set(found) <= {(200, None), (422, "wrong_code"), (429, "too_many_tries"), (409, "invalid_transition")}


@pytest.mark.parametrize("turn", range(4))
def test_two_starts_at_once_start_once(wide_app: Flask, users: Users, turn: int) -> None:
    visit = Visit(users, {"start_code": "offered"})
    works = [
        partial(call, wide_app, visit.ravi, f"{visit.path}/start", {"code": visit.code}),
        partial(call, wide_app, visit.asha, f"{visit.path}/start"),
    ]
    found = calls(wide_app, *(works if turn % 2 else works[::-1]))
    assert found == {(200, None): 1, (409, "invalid_transition"): 1}
    assert [entry["action"] for entry in visit.seen_by(visit.asha)["history"]].count("start") == 1


@pytest.mark.parametrize("turn", range(4))
def test_start_concurrent_with_release_leaves_no_timeline_behind(wide_app: Flask, users: Users, turn: int) -> None:
    visit = Visit(users)
    works = [
        partial(call, wide_app, visit.asha, f"{visit.path}/start"),
        partial(call, wide_app, visit.ravi, f"{visit.path}/release", WHY),
    ]
    found = calls(wide_app, *(works if turn % 2 else works[::-1]))
    assert found[200, None] + found[409, "invalid_transition"] == 2
    seen = visit.seen_by(visit.asha)
    assert (seen["status"], seen["started_at"]) == ("requested", None)
    do(visit.ravi, f"{visit.path}/accept")
    assert visit.seen_by(visit.ravi)["started_at"] is None


def test_on_time_confirmed_twice_at_once_notifies_once(wide_app: Flask, users: Users) -> None:
    visit = Visit(users)
    note_reminder(visit.id)
    works = [partial(call, wide_app, visit.ravi, f"{visit.path}/on_time") for _ in range(6)]
    assert calls(wide_app, *works) == {(200, None): 6}
    assert [entry["action"] for entry in visit.seen_by(visit.asha)["history"]].count("on_time") == 1
    assert notified_kinds(visit.asha).count("request_on_time") == 1


def test_undo_concurrent_with_next_step_keeps_one_of_both(wide_app: Flask, users: Users) -> None:
    visit = Visit(users)
    do(visit.ravi, f"{visit.path}/on_the_way")
    works = [partial(call, wide_app, visit.ravi, f"{visit.path}/{step}") for step in ("undo_step", "arrive")]
    assert calls(wide_app, *works) == {(200, None): 2}
    seen = visit.seen_by(visit.ravi)
    actions = [entry["action"] for entry in seen["history"]][-2:]
    if actions == ["undo_step", "arrive"]:
        assert (seen["on_the_way_at"], seen["arrived_at"] is not None) == (None, True)
    else:
        assert actions == ["arrive", "undo_step"]
        assert (seen["on_the_way_at"] is not None, seen["arrived_at"]) == (True, None)
