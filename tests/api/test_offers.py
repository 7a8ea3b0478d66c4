"""Offers: who makes them for what, how many there are, when they end, and what an acceptance does."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.offers import actions
from backend.domain.task_requests import bulk
from tests.factories.offers import Quote, pass_hours
from tests.factories.requests import WHY, RequestMarket, at, do, moment, notified_kinds
from tests.factories.users import Users


@pytest.fixture
def quote(users: Users) -> Quote:
    return Quote(users)


def test_task_and_request_say_how_the_price_is_agreed(quote: Quote, users: Users) -> None:
    task = users.visitor().get(f"/tasks/{quote.market.task_id}").json
    assert (task["pricing"], task["base_price"]) == ("quote", "499.00")
    assert users.visitor().get("/search?q=painting").json["items"][0]["pricing"] == "quote"
    seen = quote.seen_by(quote.asha)
    assert (seen["pricing"], seen["price"], seen["price_actions"]) == ("quote", "499.00", ["accept_offer"])
    mine = quote.seen_by(quote.ravi)
    assert (mine["allowed_actions"], mine["price_actions"]) == (["reject"], ["make_offer", "withdraw_offer"])
    profile = users.visitor().get(f"/profiles/{quote.ravi.id}").json["tasks"]
    assert [offered["pricing"] for offered in profile] == ["quote"]


def test_plain_acceptance_names_the_way(quote: Quote) -> None:
    refused = quote.ravi.post(f"{quote.path}/accept")
    assert (refused.status_code, refused.json["code"]) == (409, "offer_needed")
    assert quote.seen_by(quote.asha)["status"] == "requested"


def test_no_offers_for_a_fixed_price(users: Users) -> None:
    market = RequestMarket(users)
    asked = market.ask(users.customer())
    refused = market.professional().post(f"/requests/{asked['id']}/offers", {"amount": "5.00"})
    assert (refused.status_code, refused.json["code"]) == (409, "not_by_offer")


def test_accepted_offer_makes_the_price_and_ends_the_others(quote: Quote) -> None:
    cheap, dear = quote.offer(quote.ravi, "850.00", note="With two coats"), quote.offer(quote.sita, "990.00")
    assert notified_kinds(quote.asha)[:2] == ["request_offer_made", "request_offer_made"]
    shown = quote.offers()
    assert [(offer["id"], offer["amount"], offer["state"]) for offer in shown] == [
        (cheap["id"], "850.00", "live"),
        (dear["id"], "990.00", "live"),
    ]
    assert shown[0]["professional"]["firstname"] == "Ravi"
    assert shown[0]["note"] == "With two coats"
    assert {"phone", "email", "username"} & set(shown[0]["professional"]) == set()
    accepted = quote.accept(dear)
    assert accepted.status_code == 200
    assert (accepted.json["status"], accepted.json["price"], accepted.json["total"]) == ("accepted", "990.00", "990.00")
    assert accepted.json["professional_id"] == quote.sita.id
    assert quote.states() == {cheap["id"]: "ended", dear["id"]: "accepted"}
    assert notified_kinds(quote.sita)[0] == "request_offer_accepted"
    assert notified_kinds(quote.ravi)[0] == "request_offer_ended"
    entry = quote.seen_by(quote.sita)["history"][-1]
    assert (entry["action"], entry["changes"]["price"]) == ("accept_offer", ["499.00", "990.00"])
    assert quote.ravi.get(quote.path).status_code == 404
    again = quote.accept(cheap)
    assert (again.status_code, again.json["code"]) == (409, "already_taken")
    late = quote.try_offer(quote.ravi)
    assert (late.status_code, late.json["code"]) == (409, "already_taken")


def test_pair_that_is_not_matched_again_finds_no_way_by_offer(quote: Quote) -> None:
    assert quote.accept(quote.offer(quote.ravi)).status_code == 200
    assert quote.asha.put(f"/me/exclusions/{quote.ravi.id}").status_code in (200, 204)
    path = f"/requests/{quote.market.ask(quote.asha)['id']}/offers"
    hidden = quote.ravi.post(path, {"amount": "850.00"})
    assert (hidden.status_code, hidden.json["code"]) == (404, "not_found")
    assert quote.ravi.get(path).status_code == 404
    assert quote.sita.post(path, {"amount": "850.00"}).status_code == 201


def test_professionals_see_their_own_offer_only(quote: Quote) -> None:
    quote.offer(quote.ravi)
    theirs = quote.offer(quote.sita)
    assert [offer["id"] for offer in quote.offers(quote.sita)] == [theirs["id"]]
    history = quote.seen_by(quote.sita)["history"]
    assert [entry["action"] for entry in history] == ["create", "make_offer"]
    stranger = quote.market.users.customer()
    assert stranger.get(f"{quote.path}/offers").status_code == 404
    assert quote.accept(theirs, stranger).status_code == 404


def test_renewed_offer_replaces_the_own_one(quote: Quote) -> None:
    first = quote.offer(quote.ravi, "900.00")
    second = quote.offer(quote.ravi, "1200.00")
    assert quote.states() == {second["id"]: "live"}
    refused = quote.accept(first)
    assert (refused.status_code, refused.json["code"]) == (409, "offer_expired"), "at the amount that was seen"
    assert quote.accept(second).json["price"] == "1200.00"


def test_withdrawn_offer_cannot_be_accepted(quote: Quote) -> None:
    offer = quote.offer(quote.ravi)
    assert quote.withdraw(offer, quote.sita).status_code == 404
    assert quote.withdraw(offer, quote.ravi).json["state"] == "withdrawn"
    assert notified_kinds(quote.asha)[0] == "request_offer_withdrawn"
    assert quote.accept(offer).json["code"] == "offer_expired"
    assert quote.withdraw(offer, quote.ravi).json["code"] == "offer_expired"
    assert quote.offer(quote.ravi)["state"] == "live"


def test_five_live_offers_are_the_most(quote: Quote) -> None:
    others = [quote.market.professional() for _ in range(4)]
    offers = [quote.offer(who) for who in (quote.ravi, *others)]
    refused = quote.try_offer(quote.sita)
    assert (refused.status_code, refused.json["code"]) == (409, "offers_full")
    quote.offer(quote.ravi, "800.00")
    quote.withdraw(offers[1], others[0])
    assert quote.offer(quote.sita)["state"] == "live"


def test_offer_expires_after_the_hours_of_the_setting_and_makes_room(users: Users) -> None:
    users.admin().patch("/settings", {"offer_valid_hours": 5})
    quote = Quote(users, date_of_request=at(days=4))
    offers = [quote.offer(who) for who in (quote.ravi, *(quote.market.professional() for _ in range(4)))]
    ends = datetime.fromisoformat(offers[0]["valid_until"])
    assert timedelta(hours=4.9) < ends - now() <= timedelta(hours=5)
    pass_hours(5)
    assert set(quote.states().values()) == {"expired"}
    assert quote.accept(offers[0]).json["code"] == "offer_expired"
    assert quote.withdraw(offers[0], quote.ravi).json["code"] == "offer_expired"
    assert quote.offer(quote.sita)["state"] == "live"


def test_housekeeping_marks_offers_as_expired(quote: Quote) -> None:
    quote.offer(quote.ravi)
    pass_hours(200)
    with transaction():
        assert (actions.expire_due(), actions.expire_due()) == (1, 0)
    assert set(quote.states().values()) == {"expired"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"note": "x" * 501}, "note"),
        ({"valid_until": at(minutes=-5)}, "valid_until"),
        ({"valid_until": at(days=2)}, "valid_until"),
        ({"currency": "INR"}, "currency"),
    ],
)
def test_invalid_offer_names_the_field(quote: Quote, body: dict[str, Any], field: str) -> None:
    refused = quote.try_offer(quote.ravi, **body)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_offer_is_valid_for_the_longest_time_at_most(app: Flask, users: Users) -> None:
    app.extensions["settings"] = replace(before := app.extensions["settings"], offer_longest_days=3)
    try:
        users.admin().patch("/settings", {"offer_valid_hours": 200})
        quote = Quote(users, date_of_request=at(days=9))
        refused = quote.try_offer(quote.ravi, valid_until=at(days=3, minutes=5))
        assert (refused.status_code, refused.json["errors"]) == (
            422,
            {"valid_until": ["Must be within the next 3 days."]},
        )
        assert quote.ravi.get(f"{quote.path}/offers").json["longest_days"] == 3
        assert quote.offer(quote.ravi, valid_until=at(days=2, hours=23))["state"] == "live"
        usual = datetime.fromisoformat(quote.offer(quote.sita)["valid_until"])
        assert timedelta(days=2.9) < usual - now() <= timedelta(days=3)
    finally:
        app.extensions["settings"] = before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE offers SET amount = amount - 1",
        "UPDATE offers SET note = 'other'",
        "UPDATE offers SET note = NULL",
        "UPDATE offers SET valid_until = valid_until + interval '1 hour'",
        "UPDATE offers SET made_at = made_at - interval '1 hour'",
        "UPDATE offers SET professional_id = (SELECT customer_id FROM task_requests)",
        "UPDATE offers SET state = 'live', slot = 2 WHERE state <> 'live'",
        "UPDATE offers SET state = 'accepted' WHERE state = 'replaced'",
        "DELETE FROM offers",
        "TRUNCATE offers",
    ],
)
def test_database_keeps_what_was_offered(quote: Quote, change: str) -> None:
    quote.offer(quote.ravi, note="With material")
    quote.offer(quote.ravi, "800.00", note="Without")
    before = quote.offers()
    with pytest.raises(DatabaseError, match="an offer ends once"):
        db.session.execute(text(change))
    db.session.rollback()
    assert quote.offers() == before


def test_contact_details_in_a_note_are_hidden(quote: Quote) -> None:
    offer = quote.offer(quote.ravi, note="Call +91 98765 43210 or ravi@example.com")
    assert "98765" not in offer["note"]
    assert "ravi@example" not in quote.offers()[0]["note"]


def test_offer_of_the_professional_asked_keeps_the_request_to_them(users: Users) -> None:
    quote = Quote(users)
    asked = quote.market.ask(quote.asha, professional_id=quote.ravi.id, date_of_request=at(days=3))
    path = f"/requests/{asked['id']}"
    assert quote.sita.post(f"{path}/offers", {"amount": "5.00"}).status_code == 404
    offer = do(quote.ravi, f"{path}/offers", {"amount": "900.00", "valid_until": at(hours=20)})
    with transaction():
        assert bulk.open_unanswered(moment(hours=19)) == 0, "they have answered"
    assert quote.sita.get(path).status_code == 404
    do(quote.ravi, f"{path}/offers/{offer['id']}/withdraw")
    assert quote.sita.get(path).status_code == 200


def test_new_date_ends_offers_and_the_price_is_open_again(quote: Quote) -> None:
    first, other = quote.offer(quote.ravi), quote.offer(quote.sita)
    moved = quote.asha.patch(quote.path, {"date_of_request": at(days=3)})
    assert moved.status_code == 200
    assert set(quote.states().values()) == {"ended"}
    assert notified_kinds(quote.ravi)[0] == notified_kinds(quote.sita)[0] == "request_offer_ended"
    assert quote.accept(first).json["code"] == quote.accept(other).json["code"] == "offer_expired"
    quote.accept(quote.offer(quote.ravi, "700.00"))
    assert quote.asha.patch(quote.path, {"date_of_request": at(days=4)}).json["price"] == "499.00"
    assert quote.ravi.post(f"{quote.path}/accept").json["code"] == "offer_needed"


def test_release_opens_the_request_to_offers_again(quote: Quote) -> None:
    quote.offer(quote.sita)
    quote.accept(quote.offer(quote.ravi, "700.00"))
    released = do(quote.ravi, f"{quote.path}/release", WHY)
    assert (released["status"], released["price"]) == ("requested", "499.00")
    assert set(quote.states().values()) == {"ended"}
    assert quote.accept(quote.offer(quote.sita, "650.00")).json["price"] == "650.00"


def test_cancelled_and_expired_requests_end_their_offers(quote: Quote) -> None:
    quote.offer(quote.ravi)
    do(quote.asha, f"{quote.path}/cancel", WHY)
    assert set(quote.states().values()) == {"ended"}
    assert quote.try_offer(quote.sita).json["code"] == "invalid_transition"
    other = quote.market.ask(quote.asha)
    do(quote.ravi, f"/requests/{other['id']}/offers", {"amount": "5.00"})
    with transaction():
        bulk.expire_due(moment(days=2))
    assert {offer["state"] for offer in quote.asha.get(f"/requests/{other['id']}/offers").json["items"]} == {"ended"}


def test_declining_withdraws_the_own_offer(quote: Quote) -> None:
    quote.offer(quote.ravi)
    do(quote.ravi, f"{quote.path}/reject", WHY)
    assert set(quote.states().values()) == {"withdrawn"}


def test_offer_of_a_blocked_professional_is_withdrawn(quote: Quote, users: Users) -> None:
    offer = quote.offer(quote.ravi)
    do(users.admin(), f"/users/{quote.ravi.id}/block", {"reason": "fraud"})
    assert quote.accept(offer).json["code"] == "offer_expired"


def test_offer_of_a_professional_who_lost_the_approval_is_refused(quote: Quote) -> None:
    offer = quote.offer(quote.ravi)
    with transaction():
        db.session.execute(text("UPDATE professionals SET approval = 'rejected'"))
    refused = quote.accept(offer)
    assert (refused.status_code, refused.json["code"]) == (409, "professional_not_available")


def test_overlap_and_travel_buffer_hold_for_offers(users: Users) -> None:
    users.admin().patch("/settings", {"travel_buffer_minutes": 30})
    quote = Quote(users, date_of_request=at(days=2))
    offer = quote.offer(quote.ravi)
    assert quote.accept(offer).status_code == 200
    eve = users.customer()
    asked = quote.market.ask(eve, date_of_request=at(days=2, minutes=75))
    late = do(quote.ravi, f"/requests/{asked['id']}/offers", {"amount": "100.00"})
    refused = eve.post(f"/requests/{asked['id']}/offers/{late['id']}/accept")
    assert (refused.status_code, refused.json["code"]) == (409, "overlapping_request")
    assert eve.get(f"/requests/{asked['id']}").json["status"] == "requested"


def test_accepted_quote_takes_price_lines_and_completes(quote: Quote) -> None:
    quote.accept(quote.offer(quote.ravi, "700.00"))
    line = {"kind": "extra", "title": "Ceiling", "quantity": "1", "unit_amount": "100.00"}
    made = do(quote.ravi, f"{quote.path}/price_lines", line)
    do(quote.asha, f"{quote.path}/price_lines/{made['id']}/approve")
    assert do(quote.asha, f"{quote.path}/complete")["total"] == "800.00"


def test_task_can_change_to_quote_and_requests_keep_how_they_were_asked(users: Users) -> None:
    market = RequestMarket(users)
    before = market.ask(users.customer())
    admin = users.admin()
    assert admin.patch(f"/tasks/{market.task_id}", {"pricing": "quote"}).json["pricing"] == "quote"
    assert admin.patch(f"/tasks/{market.task_id}", {"pricing": "auction"}).status_code == 422
    professional = market.professional()
    do(professional, f"/requests/{before['id']}/accept")
    assert market.ask(users.customer())["pricing"] == "quote"
