"""The state table of approval: who may do what, from which state to which. Plain Python without frameworks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from backend.core.errors import Conflict
from backend.core.security.authz import Role


class Approval(StrEnum):
    DOCUMENT_MISSING = "document_missing"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Transition:
    """An action on an approval."""

    action: str
    who: Role
    sources: frozenset[Approval]
    target: Approval
    needs_reason: bool = False


SUBMIT: Final = Transition(
    # also from approved: an unreviewed document must not replace the approved one
    "hand_in",
    Role.PROFESSIONAL,
    frozenset(Approval),
    Approval.PENDING,
)
APPROVE: Final = Transition("approve", Role.ADMIN, frozenset({Approval.PENDING, Approval.EXPIRED}), Approval.APPROVED)
REJECT: Final = Transition("reject", Role.ADMIN, frozenset({Approval.PENDING}), Approval.REJECTED, needs_reason=True)
EXPIRE: Final = Transition("expire", Role.SYSTEM, frozenset({Approval.APPROVED}), Approval.EXPIRED)

TRANSITIONS: Final = (SUBMIT, APPROVE, REJECT, EXPIRE)


def require(transition: Transition, state: Approval) -> None:
    """Let the transition pass, or raise Conflict: ``document_missing``, or ``invalid_transition`` with the way out."""
    if state in transition.sources:
        return
    if state is Approval.DOCUMENT_MISSING:
        raise Conflict("This professional has not uploaded a document.", code="document_missing")
    raise Conflict(
        f"The approval status is {state}. You can {transition.action.replace('_', ' ')} only when it is "
        f"{' or '.join(sorted(transition.sources))}.",
        code="invalid_transition",
    )


def allowed_actions(state: Approval, role: Role) -> list[str]:
    """Return the actions that this role may perform now."""
    return [one.action for one in TRANSITIONS if one.who is role and state in one.sources]
