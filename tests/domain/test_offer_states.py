"""Offers in any order of calls: the responses, the five slots and the price are as in a small model."""

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.offers import actions
from tests.conftest import empty_the_market
from tests.factories.offers import Quote, pass_hours
from tests.factories.requests import WHY, at
from tests.factories.users import User, Users

PROFESSIONALS = 7
WHO = st.integers(0, PROFESSIONALS - 1)
OFFER = st.tuples(st.just("offer"), WHO)
OTHER = st.tuples(st.sampled_from(["withdraw", "accept", "accept", "release", "move", "hours", "sweep"]), WHO)
LIVE = text("SELECT count(*), count(DISTINCT slot), count(DISTINCT professional_id) FROM offers WHERE state = 'live'")


class Model:
    """Who has which offer, and who has accepted."""

    def __init__(self) -> None:
        self.live: dict[int, dict[str, Any]] = {}
        self.over: dict[int, dict[str, Any]] = {}  # their time has passed
        self.taken: int | None = None
        self.price = "499.00"


class Steps:
    """Takes steps over HTTP and in the model."""

    def __init__(self, users: Users) -> None:
        self.quote, self.model, self.amount = Quote(users, date_of_request=at(days=5)), Model(), 500
        self.professionals: list[User] = [self.quote.market.professional() for _ in range(PROFESSIONALS)]
        self.moves = 0

    def take(self, what: str, who: int) -> None:
        getattr(self, what)(who)

    def offer(self, who: int) -> None:
        self.amount += 1
        answer = self.quote.try_offer(self.professionals[who], amount=f"{self.amount}.00")
        if self.model.taken is not None:
            expected = (409, "invalid_transition" if self.model.taken == who else "already_taken")
            assert (answer.status_code, answer.json["code"]) == expected
        elif len(self.model.live.keys() - {who}) >= 5:
            assert answer.json["code"] == "offers_full"
        else:
            assert answer.status_code == 201, answer.json
            self.model.live[who] = answer.json
            self.model.over.pop(who, None)

    def withdraw(self, who: int) -> None:
        known = self.model.live.get(who)
        if known is None:
            return
        assert self.quote.withdraw(known, self.professionals[who]).status_code == 200
        del self.model.live[who]

    def accept(self, who: int) -> None:
        known = self.model.live.get(who) or self.model.over.get(who)
        if known is None:
            return
        answer = self.quote.accept(known)
        if self.model.taken is not None:
            assert answer.json["code"] == "already_taken"
        elif who in self.model.over:
            assert answer.json["code"] == "offer_expired"
        else:
            assert (answer.status_code, answer.json["price"]) == (200, known["amount"])
            self.model.taken, self.model.price = who, known["amount"]
            self.model.live.clear()
            self.model.over.clear()

    def release(self, _: int) -> None:
        if self.model.taken is not None:
            assert self.professionals[self.model.taken].post(f"{self.quote.path}/release", WHY).status_code == 200
            self.model.taken, self.model.price = None, "499.00"

    def move(self, _: int) -> None:
        self.moves += 1
        moved = self.quote.asha.patch(self.quote.path, {"date_of_request": at(days=5, hours=self.moves)})
        assert moved.json["price"] == "499.00"
        if moved.json["asked_professional_id"] is not None:  # who had accepted is asked first; here they decline
            assert self.model.taken is not None
            declined = self.professionals[self.model.taken].post(f"{self.quote.path}/reject", WHY)
            assert declined.status_code == 200
            self.professionals[self.model.taken] = self.quote.market.professional()
        self.model = Model()

    def hours(self, _: int) -> None:
        pass_hours(200)
        self.model.over |= self.model.live
        self.model.live = {}

    def sweep(self, _: int) -> None:
        actions.expire_due()
        db.session.commit()

    def check(self) -> None:
        db.session.rollback()
        live, slots, professionals = db.session.execute(LIVE).one()
        assert live == slots == professionals <= 5
        seen = self.quote.seen_by(self.quote.asha)
        assert (seen["price"], seen["status"]) == (
            self.model.price,
            "requested" if self.model.taken is None else "accepted",
        )
        shown = {offer["id"] for offer in self.quote.offers() if offer["state"] == "live"}
        assert shown == {offer["id"] for offer in self.model.live.values()}
        db.session.rollback()


@pytest.fixture
def market(app: Flask) -> Iterator[Users]:
    yield Users(app)
    db.session.rollback()


@settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.one_of(OFFER, OFFER, OTHER), min_size=8, max_size=16))
def test_offers_in_any_order_match_the_model(market: Users, steps: list[tuple[str, int]]) -> None:
    db.session.rollback()
    empty_the_market()
    taken = Steps(Users(market.app))
    for step in steps:
        taken.take(*step)
        taken.check()
