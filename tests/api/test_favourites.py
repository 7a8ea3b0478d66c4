"""Favourites, pairs of users who are not matched again, and requests that are sent again, over HTTP."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.domain.favourites import actions, exclusions
from backend.domain.task_requests import reminders
from tests.factories.requests import WHY, RequestMarket, at, do, notified_kinds
from tests.factories.users import User, Users

HERE = "560001"


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def offered(caller: User, market: RequestMarket, query: str = f"pincode={HERE}") -> list[Any]:
    found: list[Any] = []
    cursor: Any = ""
    while cursor is not None:
        answer = caller.get(f"/tasks/{market.task_id}/professionals?{query}{cursor and '&cursor=' + cursor}")
        assert answer.status_code == 200, answer.json
        found += answer.json["items"]
        cursor = answer.json["next_cursor"]
    return found


def keep(customer: User, professional: User) -> Any:
    return customer.put(f"/me/favourites/{professional.id}")


def waiting(professional: User) -> list[int]:
    return [item["id"] for item in professional.get("/requests?scope=open&limit=100").json["items"]]


def actions_of(admin: User, actor: User) -> list[str]:
    return [entry["action"] for entry in admin.get(f"/audit?actor_id={actor.id}").json["items"]]


def exclude(caller: User, other: User) -> None:
    answer = caller.put(f"/me/exclusions/{other.id}")
    assert answer.status_code == 204, answer.json


def reminded(professional: User) -> int:
    day = now().astimezone(current_settings().zone).date()
    return {one.account_id: one.waiting for one in reminders.candidates(day=day, after=0, until=10**9)}[professional.id]


@pytest.mark.parametrize("query", [f"pincode={HERE}", ""])
def test_favourites_are_listed_first_on_pages_that_lose_nobody(users: Users, market: RequestMarket, query: str) -> None:
    asha = users.customer()
    professionals = [market.professional() for _ in range(7)]
    kept = [professionals[5], professionals[2], professionals[6]]
    for one in kept:
        assert keep(asha, one).status_code == 204
    expected = [professionals[n].id for n in (2, 5, 6, 0, 1, 3, 4)]
    for limit in (1, 2, 3, 4, 100):
        found = offered(asha, market, f"{query}&limit={limit}")
        assert [item["id"] for item in found] == expected
        assert [item["favourite"] for item in found] == [1, 1, 1, 0, 0, 0, 0]
    assert [item["id"] for item in offered(users.customer(), market, query)] == [one.id for one in professionals]
    assert {item["favourite"] for item in offered(users.admin(), market, query)} == {0}


def test_favourite_is_offered_only_where_they_serve(users: Users, market: RequestMarket) -> None:
    asha = users.customer()
    far, other_task = market.professional(pincode="570001"), users.professional(task_ids=[market.task("Tiling")])
    here = market.professional()
    for one in (far, other_task, here):
        assert keep(asha, one).status_code == 204
    assert [item["id"] for item in offered(asha, market)] == [here.id]
    assert [item["id"] for item in offered(asha, market, "")] == [far.id, here.id]


def test_favourites_are_kept_once_listed_and_removed(users: Users, market: RequestMarket) -> None:
    asha, admin = users.customer(), users.admin()
    ravi, sita = market.professional(compname="Ravi Pipes"), market.professional()
    for one in (ravi, sita, ravi):
        assert keep(asha, one).status_code == 204
    items = asha.get("/me/favourites").json["items"]
    assert [item["id"] for item in items] == [sita.id, ravi.id]
    assert items[1]["compname"] == "Ravi Pipes"
    first = asha.get("/me/favourites?limit=1").json
    second = asha.get(f"/me/favourites?limit=1&cursor={first['next_cursor']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == [sita.id, ravi.id]
    assert second["next_cursor"] is None
    assert users.customer().get("/me/favourites").json["items"] == []
    do(admin, f"/users/{ravi.id}/block", {"reason": "other"})
    assert [item["available"] for item in asha.get("/me/favourites").json["items"]] == [1, 0]
    assert keep(asha, ravi).status_code == 204, "kept already"
    for _ in range(2):
        assert asha.delete(f"/me/favourites/{ravi.id}").status_code == 204
    assert keep(asha, ravi).status_code == 404
    assert [item["id"] for item in asha.get("/me/favourites").json["items"]] == [sita.id]


def test_only_active_professionals_become_favourites_up_to_limit(
    users: Users, market: RequestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = users.customer()
    for nobody in (users.customer(), users.admin(), users.professional(approved=False)):
        assert keep(asha, nobody).status_code == 404
    assert asha.put("/me/favourites/999999").status_code == 404
    monkeypatch.setattr(actions, "MOST", 1)
    ravi = market.professional()
    assert [keep(asha, one).status_code for one in (ravi, market.professional(), ravi)] == [204, 409, 204]
    assert len(asha.get("/me/favourites").json["items"]) == 1


@pytest.mark.parametrize("setter", ["customer", "professional"])
def test_exclusion_hides_pair_from_each_other_until_undone(users: Users, market: RequestMarket, setter: str) -> None:
    asha, sita, ravi, devi = users.customer(), users.customer(), market.professional(), market.professional()
    market.bring_to("closed", asha, ravi, date_of_request=at(days=3))
    who, other = (asha, ravi) if setter == "customer" else (ravi, asha)
    before = (market.ask(asha)["id"], market.ask(sita)["id"])
    assert sorted(waiting(ravi)) == sorted(before)
    for _ in range(2):
        exclude(who, other)
    after = market.ask(asha)["id"]
    assert waiting(ravi) == [before[1]]
    assert len(waiting(devi)) == 3
    assert ravi.get("/me/inbox").json["waiting"] == 1
    assert (reminded(ravi), reminded(devi)) == (1, 3)
    for request_id in (before[0], after):
        assert ravi.get(f"/requests/{request_id}").status_code == 404
        refused = ravi.post(f"/requests/{request_id}/accept")
        unknown = ravi.post("/requests/999999/accept")
        assert (refused.status_code, refused.json["detail"]) == (404, unknown.json["detail"])
    assert [item["id"] for item in offered(asha, market)] == [devi.id]
    assert [item["id"] for item in offered(asha, market, "")] == [devi.id]
    assert [item["id"] for item in offered(sita, market)] == [ravi.id, devi.id]
    asked = asha.post("/requests", market.body(professional_id=ravi.id))
    elsewhere = asha.post("/requests", market.body(professional_id=users.professional().id))
    assert (asked.status_code, asked.json["errors"]) == (422, elsewhere.json["errors"])
    times = f"/tasks/{market.task_id}/times?pincode={HERE}&date={at(days=2)[:10]}&professional_id={ravi.id}"
    assert asha.get(times).json["items"] == []
    assert sita.get(times).json["items"] != []
    assert notified_kinds(ravi).count("request_new") == 3, "not of the last one of this customer"
    for _ in range(2):
        assert other.delete(f"/me/exclusions/{who.id}").status_code == 204, "undoes only what they set"
    assert waiting(ravi) == [before[1]]
    for _ in range(2):
        assert who.delete(f"/me/exclusions/{other.id}").status_code == 204
    assert sorted(waiting(ravi)) == sorted([*before, after])
    assert [item["id"] for item in offered(asha, market)] == [ravi.id, devi.id]


def test_exclusion_leaves_no_trace_for_the_other_side(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    met = market.bring_to("closed", asha, ravi)
    assert keep(asha, ravi).status_code == 204
    seen = asha.get(f"/requests/{met['id']}").json, notified_kinds(asha)
    exclude(ravi, asha)
    assert (asha.get(f"/requests/{met['id']}").json, notified_kinds(asha)) == seen
    assert asha.get("/me/exclusions").json["items"] == []
    assert [item["available"] for item in asha.get("/me/favourites").json["items"]] == [0]
    assert ravi.get("/me/exclusions").json["items"] == [
        {
            "id": asha.id,
            "firstname": None,
            "compname": None,
            "request": {"id": met["id"], "task_name": "Plumbing", "date_of_request": met["date_of_request"]},
            "created_at": ravi.get("/me/exclusions").json["items"][0]["created_at"],
        }
    ]
    assert "exclusion_added" in actions_of(admin, ravi)
    ravi.delete(f"/me/exclusions/{asha.id}")
    assert "exclusion_removed" in actions_of(admin, ravi)


def test_exclusion_needs_a_request_where_the_two_met(users: Users, market: RequestMarket) -> None:
    asha, ravi, devi = users.customer(), market.professional(), market.professional()
    made = market.ask(asha)
    for who, other in ((asha, ravi), (ravi, asha), (asha, users.customer()), (ravi, ravi)):
        assert who.put(f"/me/exclusions/{other.id}").status_code == 404
    do(devi, f"/requests/{made['id']}/reject", WHY)
    assert asha.put(f"/me/exclusions/{devi.id}").status_code == 404, "which would tell who declined"
    do(ravi, f"/requests/{made['id']}/accept")
    do(ravi, f"/requests/{made['id']}/release", WHY)
    exclude(asha, ravi)
    assert [item["compname"] for item in asha.get("/me/exclusions").json["items"]] == ["Rao and Sons"]
    asked = market.ask(asha, professional_id=devi.id)
    do(devi, f"/requests/{asked['id']}/reject", WHY)
    exclude(devi, asha)


def test_exclusion_leaves_accepted_and_asked_requests_alone(users: Users, market: RequestMarket) -> None:
    asha, ravi = users.customer(), market.professional()
    accepted = market.bring_to("accepted", asha, ravi, date_of_request=at(days=2))
    asked = market.ask(asha, professional_id=ravi.id, date_of_request=at(days=4))
    exclude(asha, ravi)
    assert waiting(ravi) == [asked["id"]]
    moved = asha.patch(f"/requests/{accepted['id']}", {"date_of_request": at(days=3)})
    assert moved.json["asked_professional_id"] == ravi.id
    do(ravi, f"/requests/{accepted['id']}/accept")
    do(ravi, f"/requests/{accepted['id']}/complete")
    do(ravi, f"/requests/{asked['id']}/reject", WHY)
    assert waiting(ravi) == []


def test_excluded_favourite_is_dropped_and_cannot_be_kept(users: Users, market: RequestMarket) -> None:
    asha, ravi = users.customer(), market.professional()
    market.bring_to("closed", asha, ravi)
    keep(asha, ravi)
    exclude(asha, ravi)
    assert asha.get("/me/favourites").json["items"] == []
    refused = keep(asha, ravi)
    assert (refused.status_code, refused.json["code"]) == (409, "excluded")


def test_exclusions_have_a_limit_for_each_side(
    users: Users, market: RequestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusions, "MOST", 1)
    asha, sita, ravi = users.customer(), users.customer(), market.professional()
    for number, customer in enumerate((asha, sita), 1):
        market.bring_to("closed", customer, ravi, date_of_request=at(days=number))
    exclude(ravi, asha)
    assert ravi.put(f"/me/exclusions/{sita.id}").json["code"] == "too_many_exclusions"
    exclude(sita, ravi)
    assert len(ravi.get("/me/exclusions").json["items"]) == 1


@pytest.mark.parametrize("status", ["completed", "closed", "cancelled", "expired"])
def test_ended_request_is_sent_again_with_what_it_had(
    app: Flask, users: Users, market: RequestMarket, status: str
) -> None:
    asha, ravi, admin = users.customer(), market.professional(compname="Ravi Pipes"), users.admin()
    made = market.ask(asha, professional_id=ravi.id, address="7 Park Road", pincode=HERE, remarks="Blue gate")
    path = f"/requests/{made['id']}"
    assert asha.get(f"{path}/again").status_code == 409
    if status in ("completed", "closed"):
        do(ravi, f"{path}/accept")
        do(ravi, f"{path}/complete")
    if status == "closed":
        do(asha, f"{path}/close")
    if status == "cancelled":
        do(asha, f"{path}/cancel", WHY)
    if status == "expired":
        with transaction():
            db.session.execute(
                text("UPDATE task_requests SET status = 'expired', expired_at = now(), asked_until = NULL")
            )
    professional = {"id": ravi.id, "firstname": ravi.get("/me").json["firstname"], "compname": "Ravi Pipes"}
    again = {
        "task_id": market.task_id,
        "task_name": "Plumbing",
        "available": 1,
        "address": "7 Park Road",
        "pincode": HERE,
        "remarks": "Blue gate",
        "professional": {**professional, "available": 1},
    }
    assert asha.get(f"{path}/again").json == again
    assert users.customer().get(f"{path}/again").status_code == 404
    exclude(asha, ravi)
    assert asha.get(f"{path}/again").json["professional"]["available"] == 0
    asha.delete(f"/me/exclusions/{ravi.id}")
    assert ravi.patch("/me", {"task_ids": []}).status_code == 200
    assert asha.get(f"{path}/again").json["professional"]["available"] == 0
    assert admin.patch(f"/tasks/{market.task_id}", {"isactive": 0}).status_code == 200
    assert asha.get(f"{path}/again").json["available"] == 0


def test_request_that_nobody_took_is_sent_again_without_professional(users: Users, market: RequestMarket) -> None:
    asha = users.customer()
    made = market.bring_to("cancelled", asha, market.professional())
    assert asha.get(f"/requests/{made['id']}/again").json["professional"] is None
