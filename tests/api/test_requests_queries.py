"""The number of queries of request lists and actions, and conditional polling."""

from dataclasses import replace
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.factories.crowd import gather
from tests.factories.queries import count_queries
from tests.factories.requests import WHY, RequestMarket, at, do
from tests.factories.users import User, Users


def queries_of(who: User, path: str, *, rows: int) -> int:
    with count_queries() as seen:
        answer = who.get(path)
    assert (answer.status_code, len(answer.json["items"])) == (200, rows)
    return seen.number


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def test_requests_list_runs_same_number_of_queries_for_any_page_size(market: RequestMarket, users: Users) -> None:
    crowd = gather(task_id=market.task_id, professionals=1, requests=105)
    ravi, admin = market.professional(), users.admin()
    for who, path in ((ravi, "/requests"), (admin, "/requests"), (admin, f"/requests?customer_id={crowd.customer.id}")):
        joint = "&" if "?" in path else "?"
        for _ in range(2):  # the first calls record the visit and what an admin read
            who.get(path)
        one = queries_of(who, f"{path}{joint}limit=1", rows=1)
        assert one == queries_of(who, f"{path}{joint}limit=100", rows=100)
        assert one <= 4


def test_requests_and_inbox_polled_without_change_return_304(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    market.ask(asha)
    for who, path in ((ravi, "/requests"), (asha, "/requests"), (ravi, "/me/inbox")):
        tag = who.get(path).headers["ETag"]
        again = who.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
    tag = ravi.get("/requests").headers["ETag"]
    market.ask(asha)
    assert ravi.get("/requests", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "expected",
    [
        ("2027-03-28", 46, "2027-03-27T23:00:00+00:00"),
        ("2027-10-31", 50, "2027-10-30T22:00:00+00:00"),
        ("2027-10-30", 48, "2027-10-29T22:00:00+00:00"),
    ],
)
def test_task_times_follow_clock_changes_of_marketplace_time_zone(
    app: Flask, market: RequestMarket, users: Users, expected: tuple[str, int, str]
) -> None:
    day, starts, first = expected
    ravi, asha = market.professional(), users.customer()
    around = [{"weekday": weekday, "from": "00:00", "to": "24:00"} for weekday in range(7)]
    ravi.put("/me/hours", {"weekly": around})
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, market_timezone="Europe/Berlin")
    try:
        with time_machine.travel("2027-02-01T12:00:00+00:00"):
            asha = users.sign_in(asha.username)
            items = asha.get(f"/tasks/{market.task_id}/times?pincode=560001&date={day}").json["items"]
    finally:
        app.extensions["settings"] = before
    assert (len(items), items[0]["at"]) == (starts, first)


def test_request_actions_run_expected_number_of_queries(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()

    def statements(who: User, method: str, path: str, body: Any = None) -> int:
        who.get("/me")  # the first call records the visit
        with count_queries() as seen:
            answer = getattr(who, method)(path, body)
        assert answer.status_code in (200, 201, 409), answer.json
        return seen.number

    path = f"/requests/{market.ask(asha)['id']}"
    declined = f"/requests/{market.ask(asha, professional_id=ravi.id)['id']}"
    found = {
        "create": statements(asha, "post", "/requests", market.body()),
        "reject": statements(sita, "post", f"{path}/reject", WHY),
        "edit": statements(asha, "patch", path, {"remarks": "Ring twice"}),
        "accept": statements(ravi, "post", f"{path}/accept"),
        "accept too late": statements(market.professional(), "post", f"{path}/accept"),
        "release": statements(ravi, "post", f"{path}/release", WHY),
        "accept again": statements(ravi, "post", f"{path}/accept"),
        "move": statements(asha, "patch", path, {"date_of_request": at(days=40)}),
        "accept at last": statements(ravi, "post", f"{path}/accept"),
        "complete": statements(ravi, "post", f"{path}/complete"),
        "close": statements(ravi, "post", f"{path}/close", {}),
        "review": statements(asha, "post", f"{path}/review", {"rating": 4}),
        "reject when asked": statements(ravi, "post", f"{declined}/reject", WHY),
        "cancel": statements(asha, "post", f"{declined}/cancel", WHY),
    }
    assert found == {
        "create": 10,
        "reject": 4,
        "edit": 3,
        "accept": 8,
        "accept too late": 2,
        "release": 8,
        "accept again": 8,
        "move": 7,
        "accept at last": 8,
        "complete": 8,
        "close": 7,
        "review": 10,
        "reject when asked": 8,
        "cancel": 4,
    }


def test_reject_response_shows_no_allowed_actions_and_hides_request(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.ask(asha)
    declined = do(ravi, f"/requests/{made['id']}/reject", WHY)
    assert (declined["allowed_actions"], declined["warnings"]) == ([], [])
    assert ravi.get(f"/requests/{made['id']}").status_code == 404
