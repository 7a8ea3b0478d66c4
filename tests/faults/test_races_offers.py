"""Concurrent calls about offers: two acceptances, a withdrawal, a block, six offers for five places."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db
from tests.factories.crowd import at_once
from tests.factories.offers import Quote
from tests.factories.requests import at, do
from tests.factories.users import User, Users

pytestmark = pytest.mark.faults
Call = tuple[User, str, Any]


def race(app: Flask, *wanted: Call) -> Counter[tuple[int, str | None]]:
    """Make these calls at once, each with a client of its own; count statuses and error codes."""

    def call(who: User, path: str, body: Any) -> list[tuple[int, str | None]]:
        answer = app.test_client().post(path, json=body, headers=who.headers)
        return [(answer.status_code, (answer.json or {}).get("code") if answer.status_code >= 400 else None)]

    return Counter(found for result in at_once(app, [partial(call, *one) for one in wanted]) for found in result)


def acceptance(quote: Quote, offer: dict[str, Any]) -> Call:
    return (quote.asha, f"{quote.path}/offers/{offer['id']}/accept", None)


@pytest.mark.parametrize("turn", range(4))
def test_two_acceptances_at_once_have_one_winner(wide_app: Flask, users: Users, turn: int) -> None:
    quote = Quote(users)
    both = [acceptance(quote, quote.offer(who)) for who in (quote.ravi, quote.sita)]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    assert found == {(200, None): 1, (409, "already_taken"): 1}
    assert sorted(quote.states().values()) == ["accepted", "ended"]


@pytest.mark.parametrize("turn", range(4))
def test_offer_withdrawn_while_it_is_accepted_is_one_or_the_other(wide_app: Flask, users: Users, turn: int) -> None:
    quote = Quote(users)
    offer = quote.offer(quote.ravi)
    both: list[Call] = [
        acceptance(quote, offer),
        (quote.ravi, f"{quote.path}/offers/{offer['id']}/withdraw", None),
    ]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    assert found[200, None] == 1, found
    state = quote.states()[offer["id"]]
    assert (quote.seen_by(quote.asha)["status"], state) in (("accepted", "accepted"), ("requested", "withdrawn"))


@pytest.mark.parametrize("turn", range(4))
def test_professional_blocked_while_the_offer_is_accepted_holds_nothing(
    wide_app: Flask, users: Users, turn: int
) -> None:
    quote = Quote(users)
    offer, admin = quote.offer(quote.ravi), users.admin()
    both: list[Call] = [
        acceptance(quote, offer),
        (admin, f"/users/{quote.ravi.id}/block", {"reason": "fraud"}),
    ]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    assert set(found) <= {(200, None), (409, "offer_expired"), (409, "professional_not_available")}
    seen = quote.seen_by(quote.asha)
    assert (seen["status"], seen["professional_id"], seen["price"]) == ("requested", None, "499.00")
    assert set(quote.states().values()) <= {"withdrawn", "ended"}


def test_six_offers_at_once_take_five_places(wide_app: Flask, users: Users) -> None:
    quote = Quote(users)
    crowd = [quote.ravi, quote.sita, *(quote.market.professional() for _ in range(4))]
    found = race(wide_app, *((who, f"{quote.path}/offers", {"amount": "900.00"}) for who in crowd))
    assert found == {(201, None): 5, (409, "offers_full"): 1}
    slots = db.session.execute(text("SELECT array_agg(slot ORDER BY slot) FROM offers WHERE state = 'live'"))
    assert slots.scalar_one() == [1, 2, 3, 4, 5]


def test_offers_beyond_five_places_are_refused_by_database(wide_app: Flask, users: Users) -> None:
    quote = Quote(users)
    quote.offer(quote.ravi)
    for change in ("slot = 6", "slot = NULL", "state = 'withdrawn'"):
        with pytest.raises(Exception, match="ck_offers_slot"), db.session.begin_nested():
            db.session.execute(text(f"UPDATE offers SET {change}"))  # noqa: S608  # all parts are constants
    db.session.rollback()


@pytest.mark.parametrize("turn", range(2))
def test_offers_of_one_professional_for_overlapping_requests_are_accepted_once(
    wide_app: Flask, users: Users, turn: int
) -> None:
    first = Quote(users, date_of_request=at(days=2))
    other = first.market.ask(users.customer(), date_of_request=at(days=2))
    eve = first.market.users.customer()
    path = f"/requests/{first.market.ask(eve, date_of_request=at(days=2))['id']}"
    assert other["status"] == "requested"
    mine = first.offer(first.ravi)
    theirs = do(first.ravi, f"{path}/offers", {"amount": "700.00"})
    both: list[Call] = [acceptance(first, mine), (eve, f"{path}/offers/{theirs['id']}/accept", None)]
    found = race(wide_app, *(both if turn % 2 else both[::-1]))
    assert found == {(200, None): 1, (409, "overlapping_request"): 1}
