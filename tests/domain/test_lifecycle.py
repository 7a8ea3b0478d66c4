"""The state table of requests and the page generated from it."""

from itertools import product
from pathlib import Path

import pytest

from backend.cli import lifecycle as page
from backend.domain.task_requests.lifecycle import (
    LINE_ACTIONS,
    OFFER_ACTIONS,
    STEPS,
    TABLE,
    VISIT_ACTIONS,
    Action,
    Facts,
    Relation,
    Status,
    allowed_actions,
    rule_of,
)

ROOT = Path(__file__).resolve().parents[2]


def test_lifecycle_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "lifecycle.md").read_text() == page.render()


def test_lifecycle_table_covers_every_action_and_status() -> None:
    assert {rule.action for rule in TABLE} == set(Action)
    reached = {rule.target for rule in TABLE} - {None}
    assert reached == set(Status)


def test_lifecycle_final_states_have_no_actions_except_review() -> None:
    for end in (Status.CANCELLED, Status.EXPIRED):
        assert not any(end in rule.sources for rule in TABLE)
    after_close = {rule.action for rule in TABLE if Status.CLOSED in rule.sources}
    assert after_close == {Action.REVIEW}


def test_lifecycle_rules_exclude_unrelated_callers() -> None:
    for rule in TABLE:
        assert not rule.who & {Relation.VIEWER, Relation.MISSED, Relation.NONE, Relation.ADMIN}
    assert rule_of(Action.CLOSE, Relation.PROFESSIONAL, Status.ACCEPTED) is None
    assert rule_of(Action.CLOSE, Relation.CUSTOMER, Status.ACCEPTED) is not None


def test_allowed_actions_follow_table_and_facts() -> None:
    assert allowed_actions(Status.REQUESTED, Relation.CUSTOMER) == ["edit", "cancel"]
    assert allowed_actions(Status.REQUESTED, Relation.CANDIDATE) == ["accept", "reject"]
    assert allowed_actions(Status.REQUESTED, Relation.CANDIDATE, Facts(passed=True)) == ["reject"]
    assert allowed_actions(Status.ACCEPTED, Relation.CUSTOMER) == ["edit", "start", "complete", "close", "cancel"]
    steps = ["on_the_way", "running_late", "arrive", "start"]
    assert allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL) == ["release", *steps, "propose_line", "complete"]
    assert allowed_actions(Status.COMPLETED, Relation.PROFESSIONAL) == ["close"]
    assert allowed_actions(Status.CLOSED, Relation.CUSTOMER) == ["review"]
    assert allowed_actions(Status.CLOSED, Relation.CUSTOMER, Facts(reviewable=False)) == []
    assert allowed_actions(Status.ACCEPTED, Relation.ADMIN) == []


@pytest.mark.parametrize("last_step", [None, *STEPS])
def test_on_time_needs_reminder_and_no_step(last_step: Action | None) -> None:
    reminded = allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL, Facts(reminded=True, last_step=last_step))
    assert (Action.ON_TIME in reminded) == (last_step is None)
    assert Action.ON_TIME not in allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL, Facts(last_step=last_step))


@pytest.mark.parametrize(("last_step", "step"), list(product((None, *STEPS), STEPS)))
def test_visit_step_follows_only_earlier_steps(last_step: Action | None, step: Action) -> None:
    place = -1 if last_step is None else STEPS.index(last_step)
    allowed = allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL, Facts(last_step=last_step))
    assert (step in allowed) == (STEPS.index(step) > place)
    assert (Action.RUNNING_LATE in allowed) == (last_step in (None, Action.ON_THE_WAY))


def test_visit_actions_keep_status_and_need_accepted_request() -> None:
    for rule in TABLE:
        if rule.action in VISIT_ACTIONS:
            assert rule.sources == {Status.ACCEPTED}
            assert rule.target is None


def test_price_actions_keep_status_and_completion_waits_for_decisions() -> None:
    for rule in TABLE:
        if rule.action in LINE_ACTIONS:
            assert rule.sources == {Status.ACCEPTED}
            assert rule.target is None
    undecided = Facts(undecided=True)
    mine = allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL, undecided)
    assert {"propose_line", "approve_line", "withdraw_line"} <= set(mine)
    assert {"complete", "decline_line"} & set(mine) == set()
    theirs = allowed_actions(Status.ACCEPTED, Relation.CUSTOMER, undecided)
    assert theirs == ["edit", "start", "approve_line", "decline_line", "cancel"]


def test_price_is_agreed_one_way_only() -> None:
    by_offer = Facts(by_offer=True)
    assert allowed_actions(Status.REQUESTED, Relation.CANDIDATE, by_offer) == ["make_offer", "withdraw_offer", "reject"]
    assert allowed_actions(Status.REQUESTED, Relation.CUSTOMER, by_offer) == ["edit", "accept_offer", "cancel"]
    passed = allowed_actions(Status.REQUESTED, Relation.CANDIDATE, Facts(by_offer=True, passed=True))
    assert "make_offer" not in passed
    assert {rule.action for rule in TABLE if rule.action in OFFER_ACTIONS and rule.target} == {Action.ACCEPT_OFFER}


def test_completion_needs_start_only_where_facts_say_so() -> None:
    must = Facts(must_start=True)
    assert "complete" not in allowed_actions(Status.ACCEPTED, Relation.PROFESSIONAL, must)
    assert {"complete", "close"} & set(allowed_actions(Status.ACCEPTED, Relation.CUSTOMER, must)) == set()
    assert "start" in allowed_actions(Status.ACCEPTED, Relation.CUSTOMER, must)
    assert "undo_step" in allowed_actions(Status.ACCEPTED, Relation.CUSTOMER, Facts(undoable=True))
