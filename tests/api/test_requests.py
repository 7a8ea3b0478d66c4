"""Creating, reading, listing and editing requests over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.core.clock import now
from tests.factories.requests import WHY, RequestMarket, at, do, notified_kinds
from tests.factories.users import Users

CONTRACT = {
    "id", "task_id", "task_name", "customer_id", "professional_id", "asked_professional_id", "status",
    "date_of_request", "price", "currency", "time_required", "address", "pincode", "remarks", "closing_remarks",
    "created_at", "accepted_at", "completed_at", "closed_at", "allowed_actions",
}  # fmt: skip


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def test_create_request_copies_task_name_price_and_duration(market: RequestMarket, users: Users) -> None:
    asha = users.customer()
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
def test_create_request_with_invalid_field_names_it(
    market: RequestMarket, users: Users, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = users.customer().post("/requests", market.body(**changes))
    assert (answer.status_code, list(answer.json["errors"])) == (status, [field])


def test_create_request_for_inactive_task_is_rejected(market: RequestMarket, users: Users) -> None:
    off = market.task("Gardening", isactive=False)
    answer = users.customer().post("/requests", market.body(task_id=off))
    assert (answer.status_code, answer.json["code"]) == (409, "task_not_available")


def test_create_request_for_professional_without_task_is_rejected(market: RequestMarket, users: Users) -> None:
    other = users.professional()
    answer = users.customer().post("/requests", market.body(professional_id=other.id))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["professional_id"])


def test_create_request_repeated_with_idempotency_key_creates_one(market: RequestMarket, users: Users) -> None:
    asha, body = users.customer(), market.body()
    first = asha.post("/requests", body, headers={"Idempotency-Key": "k1"})
    again = asha.post("/requests", body, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json, first.headers["Location"]) == (again.json, again.headers["Location"])
    assert len(asha.get("/requests").json["items"]) == 1
    assert asha.post("/requests", market.body(remarks="x"), headers={"Idempotency-Key": "k1"}).status_code == 422


def test_request_address_and_contact_are_visible_only_after_accept(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(phone="+919876543210"), market.professional(), market.professional()
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


def test_request_to_one_professional_is_visible_only_to_them_until_declined(
    market: RequestMarket, users: Users
) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
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
    assert notified_kinds(asha) == ["request_accepted", "request_rejected"]


def test_request_for_professional_without_task_is_visible_but_not_acceptable(
    market: RequestMarket, users: Users
) -> None:
    asha, other = users.customer(), users.professional()
    made = market.ask(asha)
    path = f"/requests/{made['id']}"
    assert other.get(path).json["allowed_actions"] == []
    for verb, body in (("accept", None), ("reject", WHY)):
        answer = other.post(f"{path}/{verb}", body)
        assert (answer.status_code, answer.json["code"]) == (403, "task_not_done")


def test_accept_of_overlapping_request_is_rejected(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    first = market.ask(asha, date_of_request="2030-01-01T10:00:00+05:30")
    overlapping = market.ask(asha, date_of_request="2030-01-01T10:59:00+05:30")
    next_one = market.ask(asha, date_of_request="2030-01-01T11:00:00+05:30")
    do(ravi, f"/requests/{first['id']}/accept")
    refused = ravi.post(f"/requests/{overlapping['id']}/accept")
    assert (refused.status_code, refused.json["code"]) == (409, "overlapping_request")
    assert ravi.get(f"/requests/{overlapping['id']}").json["status"] == "requested"
    do(ravi, f"/requests/{next_one['id']}/accept")


def test_request_date_change_asks_same_professional_first(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    moved = asha.patch(path, {"date_of_request": at(days=3)}).json
    assert (moved["status"], moved["professional_id"], moved["asked_professional_id"]) == ("requested", None, ravi.id)
    assert moved["accepted_at"] is None
    assert sita.get(path).status_code == 404
    assert notified_kinds(ravi)[0] == "request_changed"
    assert do(ravi, f"{path}/accept")["status"] == "accepted"


def test_request_edit_notifies_professional_only_on_change(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    edited = asha.patch(f"/requests/{made['id']}", {"remarks": "Ring twice", "pincode": 110001}).json
    assert (edited["status"], edited["remarks"], edited["pincode"]) == ("accepted", "Ring twice", "110001")
    assert notified_kinds(ravi)[0] == "request_changed"
    before = notified_kinds(ravi)
    same = asha.patch(f"/requests/{made['id']}", {"remarks": "Ring twice", "date_of_request": made["date_of_request"]})
    assert (same.status_code, same.json["status"]) == (200, "accepted")
    assert notified_kinds(ravi) == before


def test_request_status_can_be_patched_only_to_completed(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert asha.patch(path, {"status": "closed"}).status_code == 422
    assert asha.patch(path, {"status": "completed"}).json["status"] == "completed"
    assert asha.patch(path, {"status": "completed"}).json["code"] == "invalid_transition"
    assert [entry["action"] for entry in asha.get(path).json["history"]] == ["create", "accept", "complete"]


def test_request_edit_with_outdated_if_match_returns_412(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.ask(asha)
    path = f"/requests/{made['id']}"
    tag = asha.get(path).headers["ETag"]
    assert asha.get(path, headers={"If-None-Match": tag}).status_code == 304
    do(ravi, f"{path}/accept")
    assert asha.patch(path, {"remarks": "x"}, headers={"If-Match": tag}).status_code == 412
    tag = asha.get(path).headers["ETag"]
    assert asha.patch(path, {"remarks": "x"}, headers={"If-Match": tag}).status_code == 200


def test_request_history_lists_actor_action_and_states(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.bring_to("closed", asha, ravi)
    history = asha.get(f"/requests/{made['id']}").json["history"]
    assert [(e["action"], e["actor_id"], e["actor_role"], e["from"], e["to"]) for e in history] == [
        ("create", asha.id, "customer", None, "requested"),
        ("accept", ravi.id, "professional", "requested", "accepted"),
        ("complete", ravi.id, "professional", "accepted", "completed"),
        ("close", asha.id, "customer", "completed", "closed"),
    ]


def test_request_history_hides_address_from_professional_after_contact_period(
    market: RequestMarket, users: Users
) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    do_patch = asha.patch(path, {"address": "99 New Hidden Street", "remarks": "The key is under the mat"})
    assert do_patch.status_code == 200
    assert ravi.get(path).json["history"][-1]["changes"]["address"] == ["12 MG Road", "99 New Hidden Street"]
    do(ravi, f"{path}/complete")
    with time_machine.travel(now() + timedelta(days=90)):
        seen = users.sign_in(ravi.username).get(path).json
        assert seen["address"] is None
        assert "Hidden" not in str(seen)
        assert "the mat" not in str(seen["history"])
        assert "99 New Hidden Street" in str(users.sign_in(asha.username).get(path).json["history"])


def test_request_history_hides_addresses_from_before_acceptance(market: RequestMarket, users: Users) -> None:
    asha, ravi, mira = users.customer(), market.professional(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    asha.patch(path, {"address": "99 Old Street"})
    asha.patch(path, {"address": "5 New Street"})
    do(ravi, f"{path}/release", WHY)
    do(mira, f"{path}/accept")
    assert "Old Street" not in mira.get(path).get_data(as_text=True)


def test_request_of_others_is_hidden_from_customers_and_visible_to_admin(market: RequestMarket, users: Users) -> None:
    asha, ravi, eve = users.customer(), market.professional(), users.customer()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert eve.get(path).status_code == 404
    assert eve.get(path).json == eve.get("/requests/999999").json
    assert eve.post(f"{path}/cancel", WHY).status_code == 404
    assert eve.patch(path, {"remarks": "x"}).status_code == 404
    assert users.admin().get(path).json["address"] == "12 MG Road"
    assert users.admin().post(f"{path}/accept").json["code"] == "role_not_allowed"


def test_requests_list_is_filtered_sorted_and_paginated(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
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
    assert len(users.admin().get(f"/requests?customer_id={asha.id}&task_id={market.task_id}").json["items"]) == 5
    for query in ("limit=0", "limit=101", "cursor=abc", "status=lost", "scope=all", "from=yesterday", "task_id=x"):
        assert asha.get(f"/requests?{query}").status_code == 422, query


def test_request_date_is_returned_with_offset(market: RequestMarket, users: Users) -> None:
    made = market.ask(users.customer(), date_of_request="2030-06-01T09:00:00+05:30")
    assert datetime.fromisoformat(made["date_of_request"]) == datetime.fromisoformat("2030-06-01T03:30:00+00:00")


def test_close_by_customer_from_accepted_completes_request(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    made = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{made['id']}"
    assert ravi.post(f"{path}/close").json["code"] == "invalid_transition"
    closed = do(asha, f"{path}/close", {"remarks": "Well done"})
    assert (closed["status"], closed["closing_remarks"]) == ("closed", "Well done")
    assert closed["completed_at"] is not None
    assert closed["allowed_actions"] == ["review"]


def test_create_request_with_null_optional_fields_uses_defaults(market: RequestMarket, users: Users) -> None:
    made = market.ask(users.customer(), remarks=None, address=None, pincode=None, professional_id=None)
    assert (made["remarks"], made["pincode"], made["asked_professional_id"]) == ("", "560001", None)
