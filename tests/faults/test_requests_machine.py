"""A state machine over the API: in any order of calls, responses and histories match the state table."""

from datetime import timedelta
from decimal import Decimal
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
from backend.domain.task_requests.lifecycle import STEPS, TABLE, Action, Facts, Relation, Status, rule_of
from tests.conftest import empty_the_market
from tests.factories.lifecycle import VERBS, expected, target
from tests.factories.price_lines import EXTRA
from tests.factories.requests import RequestMarket, at
from tests.factories.users import User, Users
from tests.factories.visits import note_reminder

DECISIONS = {
    Action.APPROVE_LINE: ("approve", "approved"),
    Action.DECLINE_LINE: ("decline", "declined"),
    Action.WITHDRAW_LINE: ("withdraw", "withdrawn"),
}
WHO = ("asha", "eve", "ravi", "sita", "idle")
EDGES = {(source, r.target or source, r.action.public) for r in TABLE for source in r.sources}


class Model:
    """The expected state of one request."""

    def __init__(self, request_id: int, asked: str | None) -> None:
        self.id = request_id
        self.status = Status.REQUESTED
        self.taker: str | None = None
        self.asked = asked
        self.rejected: set[str] = set()
        self.reviewed = False
        self.steps: list[Action] = []
        self.undoable_by: str | None = None
        self.reminded = self.on_time = False
        self.lines: dict[int, str] = {}

    @property
    def is_undecided(self) -> bool:
        return "proposed" in self.lines.values()

    def withdraw_lines(self, *states: str) -> None:
        self.lines = {number: "withdrawn" if state in states else state for number, state in self.lines.items()}

    def facts(self, who: str) -> Facts:
        last_step = self.steps[-1] if self.steps else None
        return Facts(
            last_step=last_step, undoable=self.undoable_by == who, reminded=self.reminded, undecided=self.is_undecided
        )

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
    def create_users(self) -> None:
        db.session.rollback()  # reads of the previous example must not lock the tables
        empty_the_market()
        users = Users(self.app)
        self.market = RequestMarket(users)
        self.users: dict[str, User] = {
            "asha": users.customer(),
            "eve": users.customer(),
            "ravi": self.market.professional(),
            "sita": self.market.professional(),
            "idle": users.professional(),
        }
        self.models: list[Model] = []
        self.hours = 0
        self.reviews = {"ravi": 0, "sita": 0}

    def later(self) -> str:
        """Return a separate date for each request, as overlaps are tested elsewhere."""
        self.hours += 2
        return at(days=5, hours=self.hours)

    @precondition(lambda self: len(self.models) < 4)
    @rule(asked=st.sampled_from([None, "ravi"]))
    def ask(self, asked: str | None) -> None:
        professional_id = self.users[asked].id if asked else None
        made = self.market.ask(self.users["asha"], date_of_request=self.later(), professional_id=professional_id)
        self.models.append(Model(made["id"], asked))

    @precondition(lambda self: self.models)
    @rule(which=st.integers(0, 3), who=st.sampled_from(WHO), action=st.sampled_from(sorted(VERBS)))
    def act(self, which: int, who: str, action: Action) -> None:
        model, user = self.models[which % len(self.models)], self.users[who]
        method, path, body = VERBS[action]
        sent = {"date_of_request": self.later()} if action is Action.MOVE else body
        is_what = model.relation(who)
        answer = getattr(user, method)(f"/requests/{model.id}{path}", sent)
        should = expected(action, user.role, is_what, model.status, model.facts(who))
        if action is Action.REVIEW and should[0] == 201 and model.reviewed:
            should = (409, "already_reviewed")
        if (
            action in (Action.COMPLETE, Action.CLOSE)
            and should[0] == 409
            and self.waits_for_lines(model, action, is_what)
        ):
            should = (409, "line_undecided")
        code = answer.json.get("code") if answer.status_code >= 400 else None
        assert (answer.status_code, code) == should, (who, is_what, action, model.status)
        if code is None:
            self.follow(model, who, action, is_what)

    def waits_for_lines(self, model: Model, action: Action, is_what: Relation) -> bool:
        return model.is_undecided and rule_of(action, is_what, model.status) is not None

    @precondition(lambda self: self.models)
    @rule(which=st.integers(0, 3), who=st.sampled_from(WHO))
    def propose_line(self, which: int, who: str) -> None:
        model, user = self.models[which % len(self.models)], self.users[who]
        should = expected(Action.PROPOSE_LINE, user.role, model.relation(who), model.status, model.facts(who))
        answer = user.post(f"/requests/{model.id}/price_lines", EXTRA)
        code = answer.json.get("code") if answer.status_code >= 400 else None
        assert (answer.status_code, code) == ((201, None) if should == (200, None) else should), (who, model.status)
        if code is None:
            model.lines[answer.json["id"]] = "proposed"

    @precondition(lambda self: any(model.lines for model in self.models))
    @rule(which=st.integers(0, 9), who=st.sampled_from(WHO), action=st.sampled_from(sorted(DECISIONS)))
    def decide_line(self, which: int, who: str, action: Action) -> None:
        lines = [(model, number) for model in self.models for number in model.lines]
        (model, number), user = lines[which % len(lines)], self.users[who]
        is_what, (verb, state) = model.relation(who), DECISIONS[action]
        should = expected(action, user.role, is_what, model.status, model.facts(who))
        if rule_of(action, is_what, model.status) and model.lines[number] != "proposed":
            should = (409, "line_decided")
        body = {"code": self.approval_code(model, number)} if is_what is Relation.PROFESSIONAL else None
        sent = body if action is Action.APPROVE_LINE else None
        answer = user.post(f"/requests/{model.id}/price_lines/{number}/{verb}", sent)
        code = answer.json.get("code") if answer.status_code >= 400 else None
        assert (answer.status_code, code) == should, (who, is_what, action, model.status, model.lines[number])
        if code is None:
            model.lines[number] = state

    def approval_code(self, model: Model, number: int) -> str | None:
        seen = self.users["asha"].get(f"/requests/{model.id}/price_lines").json["items"]
        found = next(line["approval_code"] for line in seen if line["id"] == number)
        return None if found is None else str(found)

    def follow(self, model: Model, who: str, action: Action, is_what: Relation) -> None:
        """Apply the action to the model."""
        model.status = target(action, is_what, model.status)
        if action in (Action.MOVE, Action.RELEASE):
            model.steps, model.undoable_by = [], None
            model.reminded = model.on_time = False
            model.withdraw_lines("proposed", "approved")
        elif action is Action.CANCEL:
            model.withdraw_lines("proposed")
        if action is Action.ACCEPT:
            model.taker, model.asked = who, who if model.asked == who else None
        elif action is Action.REJECT:
            model.rejected.add(who)
            model.asked = None
        elif action in STEPS:
            model.steps.append(action)
            model.undoable_by = who
        elif action in (Action.ON_TIME, Action.RUNNING_LATE):
            model.on_time = action is Action.ON_TIME
        elif action is Action.UNDO_STEP:
            model.steps.pop()
            model.undoable_by = None
        elif action is Action.RELEASE:
            model.taker = model.asked = None
        elif action is Action.MOVE:
            model.asked = model.taker or model.asked
            model.taker = None
        elif action is Action.REVIEW:
            model.reviewed = True
            assert model.taker is not None
            self.reviews[model.taker] += 1

    @precondition(lambda self: self.models)
    @rule(which=st.integers(0, 3))
    def professional_is_reminded(self, which: int) -> None:
        model = self.models[which % len(self.models)]
        if model.status is Status.ACCEPTED:
            note_reminder(model.id)
            model.reminded = True

    @precondition(lambda self: self.models)
    @rule()
    def response_time_passes(self) -> None:
        with transaction():
            bulk.open_unanswered(now() + timedelta(days=4))
        for model in self.models:
            if model.status is Status.REQUESTED:
                model.asked = None

    @precondition(lambda self: self.models)
    @rule(rarely=st.integers(0, 3))
    def dates_pass(self, rarely: int) -> None:
        if rarely:
            return
        with transaction():
            bulk.expire_due(now() + timedelta(days=900))
        for model in self.models:
            if model.status is Status.REQUESTED:
                model.status = Status.EXPIRED

    @invariant()
    def requests_match_model(self) -> None:
        for model in getattr(self, "models", []):
            seen = self.users["asha"].get(f"/requests/{model.id}").json
            taker = self.users[model.taker].id if model.taker else None
            assert (seen["status"], seen["professional_id"]) == (model.status, taker)
            times = [seen[name] for name in ("on_the_way_at", "arrived_at", "started_at")]
            assert [at is not None for at in times] == [step in model.steps for step in STEPS]
            assert (seen["on_time_at"] is not None) == model.on_time
            approved = sum(state == "approved" for state in model.lines.values())
            assert Decimal(seen["total"]) == Decimal(seen["price"]) + approved * Decimal(EXTRA["unit_amount"])
            self.check_history(seen["history"], model.status)

    def check_history(self, history: list[dict[str, Any]], status: Status) -> None:
        """Check that each step is an edge of the table and starts where the previous one ended."""
        before = None
        for entry in history:
            assert entry["from"] == before
            assert (entry["from"], entry["to"], entry["action"]) in EDGES
            before = entry["to"]
        assert before == status

    @invariant()
    def rating_counts_match_model(self) -> None:
        for name, given in getattr(self, "reviews", {}).items():
            kept = select(Professional.rating_count).where(Professional.account_id == self.users[name].id)
            assert db.session.execute(kept).scalar_one() == given


@pytest.mark.slow
def test_request_actions_in_any_order_match_state_table(app: Flask) -> None:
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
