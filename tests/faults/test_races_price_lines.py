"""Concurrent calls about one price line: two deciders, a withdrawal, a completion, a release, and guessed codes."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.factories.crowd import at_once
from tests.factories.price_lines import EXTRA, code_of, lines, propose, wrong
from tests.factories.requests import WHY
from tests.factories.users import User, Users
from tests.factories.visits import Visit

pytestmark = pytest.mark.faults
Call = tuple[User, str, Any]


def race(app: Flask, *wanted: Call) -> Counter[tuple[int, str | None]]:
    """Make these calls at once, each with a client of its own; count statuses and error codes."""

    def call(who: User, path: str, body: Any) -> list[tuple[int, str | None]]:
        answer = app.test_client().post(path, json=body, headers=who.headers)
        return [(answer.status_code, (answer.json or {}).get("code") if answer.status_code >= 400 else None)]

    return Counter(found for result in at_once(app, [partial(call, *one) for one in wanted]) for found in result)


def calls(visit: Visit, line: dict[str, Any]) -> dict[str, Call]:
    path = f"{visit.path}/price_lines/{line['id']}"
    return {
        "approve": (visit.asha, f"{path}/approve", None),
        "decline": (visit.asha, f"{path}/decline", None),
        "withdraw": (visit.ravi, f"{path}/withdraw", None),
        "code": (visit.ravi, f"{path}/approve", {"code": code_of(visit, line)}),
    }


@pytest.mark.parametrize("turn", range(4))
def test_one_of_four_decisions_at_once_is_made(wide_app: Flask, users: Users, turn: int) -> None:
    visit = Visit(users)
    line = propose(visit)
    named = calls(visit, line)
    names = list(named)[turn:] + list(named)[:turn]
    assert race(wide_app, *(named[name] for name in names)) == {(200, None): 1, (409, "line_decided"): 3}
    seen = lines(visit, visit.asha)
    state = seen["items"][0]["state"]
    assert Decimal(seen["total"]) == (749 if state == "approved" else 499)
    decided = [entry["action"] for entry in visit.seen_by(visit.asha)["history"] if entry["action"].endswith("_line")]
    expected = {"approved": "approve_line", "declined": "decline_line", "withdrawn": "withdraw_line"}[state]
    assert decided == ["propose_line", expected]


@pytest.mark.parametrize("verb", ["approve", "decline", "withdraw"])
def test_completion_at_the_time_of_a_decision_waits_for_it(wide_app: Flask, users: Users, verb: str) -> None:
    visit = Visit(users)
    line = propose(visit)
    complete: Call = (visit.asha, f"{visit.path}/complete", None)
    found = race(wide_app, complete, calls(visit, line)[verb])
    assert found[200, None] + found[409, "line_undecided"] == 2
    seen = visit.seen_by(visit.asha)
    assert seen["status"] == ("completed" if found[200, None] == 2 else "accepted")
    assert seen["total"] == ("749.00" if verb == "approve" else "499.00")


@pytest.mark.parametrize("turn", range(4))
def test_completion_at_the_time_of_a_proposal_leaves_no_undecided_line(
    wide_app: Flask, users: Users, turn: int
) -> None:
    visit = Visit(users)
    both: list[Call] = [
        (visit.asha, f"{visit.path}/complete", None),
        (visit.ravi, f"{visit.path}/price_lines", EXTRA),
    ]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    seen = visit.seen_by(visit.asha)
    if seen["status"] == "completed":
        assert found == {(200, None): 1, (409, "invalid_transition"): 1}
        assert lines(visit, visit.asha)["items"] == []
    else:
        assert found == {(201, None): 1, (409, "line_undecided"): 1}


@pytest.mark.parametrize("turn", range(4))
def test_release_at_the_time_of_an_approval_leaves_nothing_that_counts(
    wide_app: Flask, users: Users, turn: int
) -> None:
    visit = Visit(users)
    line = propose(visit)
    both: list[Call] = [calls(visit, line)["approve"], (visit.ravi, f"{visit.path}/release", WHY)]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    assert found[200, None] + found[409, "invalid_transition"] + found[409, "line_decided"] == 2
    seen = lines(visit, visit.asha)
    assert (seen["total"], seen["items"][0]["state"]) == ("499.00", "withdrawn")


def test_twenty_parallel_guesses_get_five_tries(wide_app: Flask, users: Users) -> None:
    visit = Visit(users)
    line = propose(visit)
    path, right = f"{visit.path}/price_lines/{line['id']}/approve", code_of(visit, line)
    guesses = [(visit.ravi, path, {"code": wrong(right, number)}) for number in range(1, 21)]
    assert race(wide_app, *guesses) == {(422, "wrong_code"): 5, (429, "too_many_tries"): 15}
