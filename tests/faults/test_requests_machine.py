"""A state machine over the API: in whatever order people act, answers and histories fit the state table."""

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.professionals.models import Professional
from backend.domain.task_requests import bulk
from backend.domain.task_requests.lifecycle import TABLE, Action, Relation, Status
from tests.conftest import empty_the_market
from tests.factories.lifecycle import VERBS, expected, target
from tests.factories.people import People, Person
from tests.factories.requests import RequestMarket, at

WHO = ("asha", "eve", "ravi", "sita", "idle")
EDGES = {(source, r.target or source, r.action.public) for r in TABLE for source in r.sources}


class Life:
    """What the model knows of one request."""

    def __init__(self, request_id: int, asked: str | None) -> None:
        self.id = request_id
        self.status = Status.REQUESTED
        self.taker: str | None = None
        self.asked = asked
        self.rejected: set[str] = set()
        self.reviewed = False

    def relation(self, who: str) -> Relation:
        if who in ("asha", "eve"):
            return Relation.CUSTOMER if who == "asha" else Relation.NONE
        if self.taker == who:
            return Relation.PROFESSIONAL
        if who in self.rejected or self.asked not in (None, who):
            return Relation.NONE
        if self.status is not Status.REQUESTED:
            return Relation.MISSED
        return Relation.VIEWER if who == "idle" else Relation.CANDIDATE


class Requests(RuleBasedStateMachine):
    """Two customers and three professionals, one of whom does not do the task."""

    app: Flask

    @initialize()
    def open_the_market(self) -> None:
        db.session.rollback()  # what the example before has read must not hold the tables
        empty_the_market()
        people = People(self.app)
        self.market = RequestMarket(people)
        self.people: dict[str, Person] = {
            "asha": people.customer(),
            "eve": people.customer(),
            "ravi": self.market.professional(),
            "sita": self.market.professional(),
            "idle": people.professional(),
        }
        self.lives: list[Life] = []
        self.hours = 0
        self.reviews = {"ravi": 0, "sita": 0}

    def later(self) -> str:
        """A date of its own for each request: overlaps have tests of their own."""
        self.hours += 2
        return at(days=5, hours=self.hours)

    @precondition(lambda self: len(self.lives) < 4)
    @rule(asked=st.sampled_from([None, "ravi"]))
    def ask(self, asked: str | None) -> None:
        professional_id = self.people[asked].id if asked else None
        made = self.market.ask(self.people["asha"], date_of_request=self.later(), professional_id=professional_id)
        self.lives.append(Life(made["id"], asked))

    @precondition(lambda self: self.lives)
    @rule(which=st.integers(0, 3), who=st.sampled_from(WHO), action=st.sampled_from(sorted(VERBS)))
    def act(self, which: int, who: str, action: Action) -> None:
        life, person = self.lives[which % len(self.lives)], self.people[who]
        method, path, body = VERBS[action]
        sent = {"date_of_request": self.later()} if action is Action.MOVE else body
        is_what = life.relation(who)
        answer = getattr(person, method)(f"/requests/{life.id}{path}", sent)
        should = expected(action, person.role, is_what, life.status)
        if action is Action.REVIEW and should[0] == 201 and life.reviewed:
            should = (409, "already_reviewed")
        code = answer.json.get("code") if answer.status_code >= 400 else None
        assert (answer.status_code, code) == should, (who, is_what, action, life.status)
        if code is None:
            self.follow(life, who, action, is_what)

    def follow(self, life: Life, who: str, action: Action, is_what: Relation) -> None:
        """What the action did, as the product says it."""
        life.status = target(action, is_what, life.status)
        if action is Action.ACCEPT:
            life.taker, life.asked = who, who if life.asked == who else None
        elif action is Action.REJECT:
            life.rejected.add(who)
            life.asked = None
        elif action is Action.RELEASE:
            life.taker = life.asked = None
        elif action is Action.MOVE:
            life.asked = life.taker or life.asked
            life.taker = None
        elif action is Action.REVIEW:
            life.reviewed = True
            assert life.taker is not None
            self.reviews[life.taker] += 1

    @precondition(lambda self: self.lives)
    @rule()
    def time_to_answer_is_over(self) -> None:
        with transaction():
            bulk.open_unanswered(now() + timedelta(days=4))
        for life in self.lives:
            if life.status is Status.REQUESTED:
                life.asked = None

    @precondition(lambda self: self.lives)
    @rule(rarely=st.integers(0, 3))
    def dates_pass(self, rarely: int) -> None:
        if rarely:
            return
        with transaction():
            bulk.expire_due(now() + timedelta(days=900))
        for life in self.lives:
            if life.status is Status.REQUESTED:
                life.status = Status.EXPIRED

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        for life in getattr(self, "lives", []):
            seen = self.people["asha"].get(f"/requests/{life.id}").json
            taker = self.people[life.taker].id if life.taker else None
            assert (seen["status"], seen["professional_id"]) == (life.status, taker)
            self.check_history(seen["history"], life.status)

    def check_history(self, history: list[dict[str, Any]], status: Status) -> None:
        """Each step is an edge of the table and begins where the one before ended."""
        before = None
        for entry in history:
            assert entry["from"] == before
            assert (entry["from"], entry["to"], entry["action"]) in EDGES
            before = entry["to"]
        assert before == status

    @invariant()
    def ratings_are_what_was_given(self) -> None:
        for name, given in getattr(self, "reviews", {}).items():
            kept = select(Professional.rating_count).where(Professional.account_id == self.people[name].id)
            assert db.session.execute(kept).scalar_one() == given


@pytest.mark.slow
def test_no_order_of_calls_leaves_a_request_wrong(app: Flask) -> None:
    Requests.app = app
    bounds = settings(
        max_examples=12,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Requests, settings=bounds)
