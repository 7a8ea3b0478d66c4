"""The state table of approval: every action from every state."""

import pytest

from backend.core.errors import Conflict
from backend.core.security.authz import Role
from backend.domain.professionals import approval
from backend.domain.professionals.approval import TRANSITIONS, Approval, Transition

PROMISED = {
    ("hand_in", "document_missing"): "pending",
    ("hand_in", "pending"): "pending",
    ("hand_in", "approved"): "pending",
    ("hand_in", "rejected"): "pending",
    ("hand_in", "expired"): "pending",
    ("approve", "pending"): "approved",
    ("approve", "expired"): "approved",
    ("reject", "pending"): "rejected",
    ("expire", "approved"): "expired",
}


@pytest.mark.parametrize("state", list(Approval))
@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda one: one.action)
def test_approval_transition_from_every_state_matches_table(transition: Transition, state: Approval) -> None:
    promised = PROMISED.get((transition.action, state.value))
    if promised is not None:
        approval.require(transition, state)
        assert transition.target == promised
        return
    with pytest.raises(Conflict) as refused:
        approval.require(transition, state)
    expected = "document_missing" if state is Approval.DOCUMENT_MISSING else "invalid_transition"
    assert refused.value.code == expected


def test_approval_allowed_actions_depend_on_role_and_state() -> None:
    assert approval.allowed_actions(Approval.PENDING, Role.ADMIN) == ["approve", "reject"]
    assert approval.allowed_actions(Approval.DOCUMENT_MISSING, Role.ADMIN) == []
    assert approval.allowed_actions(Approval.EXPIRED, Role.ADMIN) == ["approve"]
    for state in Approval:
        assert approval.allowed_actions(state, Role.PROFESSIONAL) == ["hand_in"]
        assert approval.allowed_actions(state, Role.CUSTOMER) == []


def test_approval_reject_requires_reason_and_every_state_is_reachable() -> None:
    assert [one.action for one in TRANSITIONS if one.needs_reason] == ["reject"]
    assert {one.target for one in TRANSITIONS} | {Approval.DOCUMENT_MISSING} == set(Approval)
