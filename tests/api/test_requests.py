"""Asking, reading, listing and editing requests over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.core.clock import now
from tests.factories.people import People
from tests.factories.requests import WHY, RequestMarket, at, do, told

CONTRACT = {
    "id", "task_id", "task_name", "customer_id", "professional_id", "asked_professional_id", "status",
    "date_of_request", "price", "currency", "time_required", "address", "pincode", "remarks", "closing_remarks",
    "created_at", "accepted_at", "completed_at", "closed_at", "allowed_actions",
}  # fmt: skip


@pytest.fixture
def market(people: People) -> RequestMarket:
    return RequestMarket(people)


def test_a_request_keeps_name_price_and_time_of_its_day(market: RequestMarket, people: People) -> None:
    asha = people.customer()
    answer = asha.post("/requests", market.body(remarks="The tap drips"))
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/requests/{answer.json['id']}"
    made = answer.json
    assert set(made) >= CONTRACT
    assert (made["task_name"], made["price"], made["currency"]) == ("Plumbing", "499.00", "INR")
    assert made["time_required"] == 60
    assert (made["status"], made["customer_id"], made["professional_id"]) == ("requested", asha.id, None)
    assert (made["address"], made["pincode"]) == ("12 MG Road", "560001")
    assert made["allowed_actions"] == ["edit", "cancel"]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"task_id": 999}, 422, "task_id"),
        ({"professional_id": 999}, 422, "professional_id"),
        ({"pincode": "999999"}, 422, "pincode"),
        ({"date_of_request": "2020-01-01T10:00:00Z"}, 422, "date_of_request"),
        ({"date_of_request": "2030-01-01T10:00:00"}, 422, "date_of_request"),
        ({"remarks": "x" * 2001}, 422, "remarks"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_wrong_fields_are_named(
    market: RequestMarket, people: People, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = people.customer().post("/requests", market.body(**changes))
    assert (answer.status_code, list(answer.json["errors"])) == (status, [field])


def test_a_task_that_is_not_offered_is_a_conflict(market: RequestMarket, people: People) -> None:
    off = market.task("Gardening", isactive=False)
    answer = people.customer().post("/requests", market.body(task_id=off))
    assert (answer.status_code, answer.json["code"]) == (409, "task_not_available")


def test_a_professional_asked_for_must_do_the_task(market: RequestMarket, people: People) -> None:
    other = people.professional()
    answer = people.customer().post("/requests", market.body(professional_id=other.id))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["professional_id"])


def test_one_key_makes_one_request(market: RequestMarket, people: People) -> None:
    asha, body = people.customer(), market.body()
    first = asha.post("/requests", body, headers={"Idempotency-Key": "k1"})
    again = asha.post("/requests", body, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json, first.headers["Location"]) == (again.json, again.headers["Location"])
    assert len(asha.get("/requests").json["items"]) == 1
    assert asha.post("/requests", market.body(remarks="x"), headers={"Idempotency-Key": "k1"}).status_code == 422


def test_the_address_is_for_the_one_who_accepted(market: RequestMarket, people: People) -> None:
    asha, ravi, sita = people.customer(phone="+919876543210"), market.professional(), market.professional()
    made = market.ask(asha)
    path = f"/requests/{made['id']}"
    before = ravi.get(path).json
    assert (before["address"], before["customer"], before["pincode"]) == (None, None, "560001")
    assert before["allowed_actions"] == ["accept", "reject"]
    taken = do(ravi, f"{path}/accept")
    assert taken["address"] == "12 MG Road"
    assert taken["customer"] == {
        "id": asha.id, "firstname": asha.username.capitalize(), "lastname": "Rao", "phone": "+919876543210",
    }  # fmt: skip
    assert taken["allowed_actions"] == ["release", "complete"]
    assert sita.get(path).status_code == 404
    late = sita.post(f"{path}/accept")
    assert (late.status_code, late.json["code"]) == (409, "already_taken")
    assert asha.get(path).json["professional"]["id"] == ravi.id


def test_one_asked_of_someone_is_theirs_alone(market: RequestMarket, people: People) -> None:
    asha, ravi, sita = people.customer(), market.professional(), market.professional()
    made = market.ask(asha, professional_id=ravi.id)
    path = f"/requests/{made['id']}"
    assert sita.get(path).status_code == 404
    assert sita.post(f"{path}/accept").status_code == 404
    assert sita.get("/requests").json["items"] == []
    assert [item["id"] for item in ravi.get("/requests").json["items"]] == [made["id"]]
    do(ravi, f"{path}/reject", WHY)
    assert ravi.get(path).status_code == 404
    assert ravi.post(f"{path}/accept").status_code == 404
    assert do(sita, f"{path}/accept")["status"] == "accepted"
    assert told(asha) == ["request_accepted", "request_rejected"]


def test_one_who_does_not_do_the_task_sees_it_but_may_not_take_it(market: RequestMarket, people: People) -> None:
    asha, other = people.customer(), people.professional()
    made = market.ask(asha)
    path = f"/requests/{made['id']}"
    assert other.get(path).json["allowed_actions"] == []
    for verb, body in (("accept", None), ("reject", WHY)):
        answer = other.post(f"{path}/{verb}", body)
        assert (answer.status_code, answer.json["code"]) == (403, "task_not_done")


def test_no_two_accepted_at_one_time(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    first = market.ask(asha, date_of_request="2030-01-01T10:00:00+05:30")
    overlapping = market.ask(asha, date_of_request="2030-01-01T10:59:00+05:30")
    next_one = market.ask(asha, date_of_request="2030-01-01T11:00:00+05:30")
    do(ravi, f"/requests/{first['id']}/accept")
    refused = ravi.post(f"/requests/{overlapping['id']}/accept")
    assert (refused.status_code, refused.json["code"]) == (409, "overlapping_request")
    assert ravi.get(f"/requests/{overlapping['id']}").json["status"] == "requested"
    do(ravi, f"/requests/{next_one['id']}/accept")


def test_a_new_date_asks_the_same_professional_first(market: RequestMarket, people: People) -> None:
    asha, ravi, sita = people.customer(), market.professional(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    moved = asha.patch(path, {"date_of_request": at(days=3)}).json
    assert (moved["status"], moved["professional_id"], moved["asked_professional_id"]) == ("requested", None, ravi.id)
    assert moved["accepted_at"] is None
    assert sita.get(path).status_code == 404
    assert told(ravi)[0] == "request_changed"
    assert do(ravi, f"{path}/accept")["status"] == "accepted"


def test_edits_tell_the_professional_and_change_nothing_else(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    edited = asha.patch(f"/requests/{made['id']}", {"remarks": "Ring twice", "pincode": 110001}).json
    assert (edited["status"], edited["remarks"], edited["pincode"]) == ("accepted", "Ring twice", "110001")
    assert told(ravi)[0] == "request_changed"
    heard = told(ravi)
    same = asha.patch(f"/requests/{made['id']}", {"remarks": "Ring twice", "date_of_request": made["date_of_request"]})
    assert (same.status_code, same.json["status"]) == (200, "accepted")
    assert told(ravi) == heard


def test_status_can_only_become_completed(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert asha.patch(path, {"status": "closed"}).status_code == 422
    assert asha.patch(path, {"status": "completed"}).json["status"] == "completed"
    assert asha.patch(path, {"status": "completed"}).json["code"] == "invalid_transition"
    assert [entry["action"] for entry in asha.get(path).json["history"]] == ["create", "accept", "complete"]


def test_a_stale_edit_is_412(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.ask(asha)
    path = f"/requests/{made['id']}"
    tag = asha.get(path).headers["ETag"]
    assert asha.get(path, headers={"If-None-Match": tag}).status_code == 304
    do(ravi, f"{path}/accept")
    assert asha.patch(path, {"remarks": "x"}, headers={"If-Match": tag}).status_code == 412
    tag = asha.get(path).headers["ETag"]
    assert asha.patch(path, {"remarks": "x"}, headers={"If-Match": tag}).status_code == 200


def test_history_tells_who_what_when_from_to_why(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.bring_to("closed", asha, ravi)
    history = asha.get(f"/requests/{made['id']}").json["history"]
    assert [(e["action"], e["actor_id"], e["actor_role"], e["from"], e["to"]) for e in history] == [
        ("create", asha.id, "customer", None, "requested"),
        ("accept", ravi.id, "professional", "requested", "accepted"),
        ("complete", ravi.id, "professional", "accepted", "completed"),
        ("close", asha.id, "customer", "completed", "closed"),
    ]


def test_history_hides_the_address_from_the_professional_when_contact_has_ended(
    market: RequestMarket, people: People
) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    do_patch = asha.patch(path, {"address": "99 New Hidden Street", "remarks": "The key is under the mat"})
    assert do_patch.status_code == 200
    assert ravi.get(path).json["history"][-1]["changes"]["address"] == ["12 MG Road", "99 New Hidden Street"]
    do(ravi, f"{path}/complete")
    with time_machine.travel(now() + timedelta(days=90)):
        seen = people.sign_in(ravi.username).get(path).json
        assert seen["address"] is None
        assert "Hidden" not in str(seen)
        assert "the mat" not in str(seen["history"])
        assert "99 New Hidden Street" in str(people.sign_in(asha.username).get(path).json["history"])


def test_history_hides_addresses_of_before_the_professional_accepted(market: RequestMarket, people: People) -> None:
    asha, ravi, mira = people.customer(), market.professional(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    asha.patch(path, {"address": "99 Old Street"})
    asha.patch(path, {"address": "5 New Street"})
    do(ravi, f"{path}/release", WHY)
    do(mira, f"{path}/accept")
    assert "Old Street" not in mira.get(path).get_data(as_text=True)


def test_others_see_nothing(market: RequestMarket, people: People) -> None:
    asha, ravi, eve = people.customer(), market.professional(), people.customer()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert eve.get(path).status_code == 404
    assert eve.get(path).json == eve.get("/requests/999999").json
    assert eve.post(f"{path}/cancel", WHY).status_code == 404
    assert eve.patch(path, {"remarks": "x"}).status_code == 404
    assert people.admin().get(path).json["address"] == "12 MG Road"
    assert people.admin().post(f"{path}/accept").json["code"] == "role_not_allowed"


def test_lists_narrow_sort_and_page(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = [market.ask(asha, date_of_request=f"2030-01-0{day}T10:00:00+05:30")["id"] for day in range(1, 6)]
    do(ravi, f"/requests/{made[1]}/accept")
    assert [i["id"] for i in asha.get("/requests").json["items"]] == made[::-1]
    first = asha.get("/requests?limit=2").json
    rest = asha.get(f"/requests?limit=3&cursor={first['next_cursor']}").json
    assert [i["id"] for i in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert [i["id"] for i in asha.get("/requests?from=2030-01-02&to=2030-01-03").json["items"]] == made[2:0:-1]
    assert [i["id"] for i in asha.get("/requests?status=accepted").json["items"]] == [made[1]]
    assert [i["id"] for i in ravi.get("/requests?scope=mine").json["items"]] == [made[1]]
    assert len(people.admin().get(f"/requests?customer_id={asha.id}&task_id={market.task_id}").json["items"]) == 5
    for query in ("limit=0", "limit=101", "cursor=abc", "status=lost", "scope=all", "from=yesterday", "task_id=x"):
        assert asha.get(f"/requests?{query}").status_code == 422, query


def test_the_market_never_shows_a_time_without_offset(market: RequestMarket, people: People) -> None:
    made = market.ask(people.customer(), date_of_request="2030-06-01T09:00:00+05:30")
    assert datetime.fromisoformat(made["date_of_request"]) == datetime.fromisoformat("2030-06-01T03:30:00+00:00")


def test_both_sides_end_it_as_the_table_says(market: RequestMarket, people: People) -> None:
    asha, ravi = people.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert ravi.post(f"{path}/close").json["code"] == "invalid_transition"
    closed = do(asha, f"{path}/close", {"remarks": "Well done"})
    assert (closed["status"], closed["closing_remarks"]) == ("closed", "Well done")
    assert closed["completed_at"] is not None
    assert closed["allowed_actions"] == ["review"]


def test_what_may_be_left_out_may_be_null(market: RequestMarket, people: People) -> None:
    made = market.ask(people.customer(), remarks=None, address=None, pincode=None, professional_id=None)
    assert (made["remarks"], made["pincode"], made["asked_professional_id"]) == ("", "560001", None)
