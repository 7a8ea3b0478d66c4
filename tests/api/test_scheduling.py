"""Working hours, time slots, agenda, inbox and reliability over HTTP."""

from typing import Any

import pytest
import time_machine

from backend.domain.scheduling import time_slots, working_hours
from tests.factories.requests import WHY, RequestMarket, do
from tests.factories.users import Users

MUMBAI, DELHI = "400001", "110001"
MONDAY = "2030-01-07"


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def test_put_hours_are_stored_and_returned(market: RequestMarket) -> None:
    ravi = market.professional()
    assert ravi.get("/me/hours").json["usual"] == {"from": "08:00", "to": "20:00"}
    working_hours = {
        "weekly": [{"weekday": 0, "from": "09:00", "to": "12:00"}, {"weekday": 0, "from": "13:00", "to": "24:00"}],
        "exceptions": [{"date": MONDAY, "hours": []}],
    }
    kept = ravi.put("/me/hours", working_hours).json
    assert (kept["weekly"], kept["exceptions"]) == (working_hours["weekly"], working_hours["exceptions"])
    assert ravi.get("/me/hours").json == kept


@pytest.mark.parametrize(
    "weekly",
    [
        [{"weekday": 7, "from": "09:00", "to": "12:00"}],
        [{"weekday": 0, "from": "12:00", "to": "09:00"}],
        [{"weekday": 0, "from": "09:00", "to": "12:00"}, {"weekday": 0, "from": "11:00", "to": "13:00"}],
        [{"weekday": 0, "from": "9", "to": "12:00"}],
        [{"weekday": 0, "from": "09:00", "to": "24:01"}],
    ],
)
def test_put_hours_with_invalid_times_is_rejected(market: RequestMarket, weekly: list[dict[str, Any]]) -> None:
    assert market.professional().put("/me/hours", {"weekly": weekly}).status_code == 422


def test_task_times_of_one_professional_are_for_customers_only(market: RequestMarket, users: Users) -> None:
    ravi = market.professional()
    path = f"/tasks/{market.task_id}/times?pincode=560001&date={MONDAY}"
    one = f"{path}&professional_id={ravi.id}"
    assert (users.visitor().get(one).status_code, users.visitor().get(path).status_code) == (401, 200)
    for caller in (users.admin(), ravi):
        assert (caller.get(one).status_code, caller.get(one).json["code"]) == (403, "role_not_allowed")
    assert len(users.customer().get(one).json["items"]) > 0


def test_task_times_of_professional_outside_nearest_are_returned(
    market: RequestMarket, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_slots, "NEAREST", 1)
    first, second = market.professional(), market.professional()
    asha = users.customer()
    path = f"/tasks/{market.task_id}/times?pincode=560001&date={MONDAY}"
    found = [len(asha.get(f"{path}&professional_id={one.id}").json["items"]) for one in (first, second)]
    assert found[0] == found[1] > 0


def test_task_times_compute_intervals_once_per_professional(
    market: RequestMarket, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        market.professional()
    seen: list[Any] = []
    real = working_hours.Hours.intervals

    def counted(self: working_hours.Hours, first: Any, last: Any) -> list[working_hours.Interval]:
        seen.append(self)
        return real(self, first, last)

    monkeypatch.setattr(working_hours.Hours, "intervals", counted)
    found = users.visitor().get(f"/tasks/{market.task_id}/times?pincode=560001&date={MONDAY}").json["items"]
    assert len(found) > 20
    assert len(seen) == 3


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
def test_dates_outside_calendar_range_name_the_field(market: RequestMarket, day: str) -> None:
    """Computing the previous day or the next midnight fails at the ends of the calendar."""
    ravi = market.professional()
    day_off = {"weekly": [], "exceptions": [{"date": day, "hours": []}]}
    answers = {
        "from": ravi.get(f"/me/agenda?from={day}"),
        "to": ravi.get(f"/me/agenda?from={MONDAY}&to={day}"),
        "date": ravi.get(f"/tasks/{market.task_id}/times?pincode=560001&date={day}"),
        "exceptions.0.date": ravi.put("/me/hours", day_off),
    }
    for field, answer in answers.items():
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_task_times_are_offered_within_free_working_hours(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    ravi.put("/me/hours", {"weekly": [{"weekday": 0, "from": "09:00", "to": "12:00"}]})
    path = f"/tasks/{market.task_id}/times?pincode=560001&date={MONDAY}"
    starts = [item["at"][11:16] for item in asha.get(path).json["items"]]
    assert starts == ["03:30", "04:00", "04:30", "05:00", "05:30"]
    taken = market.ask(asha, date_of_request=f"{MONDAY}T10:00:00+05:30")
    do(ravi, f"/requests/{taken['id']}/accept")
    assert [item["at"][11:16] for item in asha.get(path).json["items"]] == ["03:30", "05:30"]
    assert asha.get(f"/tasks/{market.task_id}/times?pincode={MUMBAI}&date={MONDAY}").json["items"] == []
    assert asha.get(f"/tasks/999/times?pincode=560001&date={MONDAY}").status_code == 404
    assert asha.get(f"/tasks/{market.task_id}/times?pincode=999999&date={MONDAY}").status_code == 422


def test_accept_outside_working_hours_warns_and_succeeds(market: RequestMarket, users: Users) -> None:
    ravi = market.professional()
    made = market.ask(users.customer(), date_of_request=f"{MONDAY}T05:00:00+05:30")
    (waiting,) = ravi.get("/requests").json["items"]
    assert waiting["warnings"] == ["outside_hours"]
    assert do(ravi, f"/requests/{made['id']}/accept")["warnings"] == ["outside_hours"]


def test_agenda_returns_hours_exceptions_and_requests_per_day(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    ravi.put("/me/hours", {"weekly": [], "exceptions": [{"date": "2030-01-08", "hours": []}]})
    late = market.ask(asha, date_of_request=f"{MONDAY}T23:30:00+05:30")
    do(ravi, f"/requests/{late['id']}/accept")
    days = ravi.get(f"/me/agenda?from={MONDAY}&to=2030-01-08").json["items"]
    assert [(day["date"], len(day["hours"]), day["exception"]) for day in days] == [
        (MONDAY, 1, False),
        ("2030-01-08", 0, True),
    ]
    assert [[request["id"] for request in day["requests"]] for day in days] == [[late["id"]], []]
    assert days[0]["requests"][0]["address"] == "12 MG Road"
    assert ravi.get(f"/me/agenda?from={MONDAY}&to=2031-01-08").status_code == 422
    assert len(ravi.get("/me/agenda").json["items"]) == 7


def test_inbox_sorts_best_matches_first_across_pages(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    other = market.task("Gardening")
    near = "2030-01-07T10:00:00+05:30"
    ids = {
        "other task": market.ask(asha, task_id=other, date_of_request=near)["id"],
        "far": market.ask(asha, pincode=DELHI, date_of_request=near)["id"],
        "not free": market.ask(asha, date_of_request="2030-01-07T15:30:00+05:30")["id"],
        "near": market.ask(asha, date_of_request=near)["id"],
        "later": market.ask(asha, date_of_request=near)["id"],
    }
    held = market.ask(asha, date_of_request="2030-01-07T15:00:00+05:30")
    do(ravi, f"/requests/{held['id']}/accept")
    best = [ids[name] for name in ("near", "later", "not free", "far", "other task")]
    items = ravi.get("/requests").json["items"]
    assert [item["id"] for item in items] == best
    assert [item["distance_km"] for item in items][:2] == [0.0, 0.0]
    assert 1700 < items[3]["distance_km"] < 1800
    assert [item["warnings"] for item in items[2:]] == [["not_free"], ["out_of_area"], ["task_not_done"]]
    assert items[4]["allowed_actions"] == []
    paged: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ravi.get(f"/requests?limit=2{cursor and '&cursor='}{cursor}").json
        paged += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert paged == best
    assert [i["id"] for i in ravi.get("/requests?matching=1&free=1&max_km=5").json["items"]] == best[:2]


def test_inbox_counts_requests_new_since_last_visit(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    empty = ravi.get("/me/inbox").json
    assert (empty["waiting"], empty["new"], empty["seen_at"]) == (0, 0, None)
    market.ask(asha)
    market.ask(asha, pincode=DELHI)
    counts = ravi.get("/me/inbox").json
    assert (counts["waiting"], counts["matching"], counts["new"]) == (2, 1, 1)
    assert ravi.post("/me/inbox").json["new"] == 0
    market.ask(asha)
    assert ravi.get("/me/inbox").json["new"] == 1


def test_cancellation_within_notice_is_late_even_after_date_change(market: RequestMarket, users: Users) -> None:
    admin, asha, ravi = users.admin(), users.customer(), market.professional()
    admin.patch("/settings", {"free_cancel_minutes": 120})
    with time_machine.travel("2030-01-07T04:00:00+00:00"):
        asha, ravi, admin = (users.sign_in(who.username) for who in (asha, ravi, admin))
        soon, tomorrow = "2030-01-07T05:00:00+00:00", "2030-01-08T05:00:00+00:00"
        free = market.ask(asha, date_of_request=soon)
        assert do(asha, f"/requests/{free['id']}/cancel", WHY)["cancelled_late"] is False
        late = market.bring_to("accepted", asha, ravi, date_of_request=soon)
        assert do(asha, f"/requests/{late['id']}/cancel", WHY)["cancelled_late"] is True
        moved = market.bring_to("accepted", asha, ravi, date_of_request=soon)
        asha.patch(f"/requests/{moved['id']}", {"date_of_request": tomorrow})
        assert do(asha, f"/requests/{moved['id']}/cancel", WHY)["cancelled_late"] is True
        kept = market.bring_to("accepted", asha, ravi, date_of_request=tomorrow)
        assert do(asha, f"/requests/{kept['id']}/cancel", WHY)["cancelled_late"] is False
        (row,) = admin.get("/reliability?role=customer").json["items"]
        assert (row["account_id"], row["cancelled"], row["cancelled_late"], row["released"]) == (asha.id, 4, 2, 0)


def test_accept_within_travel_buffer_of_another_request_is_rejected(market: RequestMarket, users: Users) -> None:
    admin, asha, ravi = users.admin(), users.customer(), market.professional()
    admin.patch("/settings", {"travel_buffer_minutes": 30})
    first = market.ask(asha, date_of_request=f"{MONDAY}T10:00:00Z")
    at_once = market.ask(asha, date_of_request=f"{MONDAY}T11:00:00Z")
    later = market.ask(asha, date_of_request=f"{MONDAY}T11:30:00Z")
    do(ravi, f"/requests/{first['id']}/accept")
    assert ravi.post(f"/requests/{at_once['id']}/accept").json["code"] == "overlapping_request"
    do(ravi, f"/requests/{later['id']}/accept")
