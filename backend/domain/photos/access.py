"""Who may add, see and delete which photos of a request, and when: every rule in one place.

Customers add photos of the problem until the work starts. The professional adds photos before and after the work while
the request is accepted, and those of the result until two days after completion. Photos in messages follow the
rules of their conversation instead.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from backend.core.clock import now
from backend.core.errors import Forbidden
from backend.domain.photos.errors import PhotoNotPossible
from backend.domain.task_requests.access import sees_contact
from backend.domain.task_requests.lifecycle import Relation, Status
from backend.domain.task_requests.rows import Request

AFTER_COMPLETION: Final = timedelta(hours=48)


class Phase(StrEnum):
    PROBLEM = "problem"
    BEFORE = "before"
    AFTER = "after"


MESSAGE: Final = "message"  # in the same column: a photo in a message
AUTHORS: Final = {
    Phase.PROBLEM: Relation.CUSTOMER,
    Phase.BEFORE: Relation.PROFESSIONAL,
    Phase.AFTER: Relation.PROFESSIONAL,
}
WHEN: Final = {
    Phase.PROBLEM: "Photos of the problem can be added until the visit starts.",
    Phase.BEFORE: "Photos before the work can be added while the request is accepted.",
    Phase.AFTER: "Photos after the work can be added until two days after completion.",
}


def phases(relation: Relation, request: Request, *, at: datetime) -> list[Phase]:
    """Return the phases of which this user may add photos now."""
    return [phase for phase in Phase if AUTHORS[phase] is relation and _is_time(phase, request, at=at)]


def check_adds(relation: Relation, request: Request, phase: Phase) -> None:
    """Check that a user who sees the request may add photos of this phase now.

    Raises:
        Forbidden: Only the other side adds photos of this phase.
        PhotoNotPossible: The state of the request does not allow it.
    """
    if relation is not AUTHORS[phase]:
        side = "customer" if phase is Phase.PROBLEM else "professional"
        raise Forbidden(f"Only the {side} of this request can add these photos.", code="role_not_allowed")
    if not _is_time(phase, request, at=now()):
        raise PhotoNotPossible(WHEN[phase])


def _is_time(phase: Phase, request: Request, *, at: datetime) -> bool:
    if phase is Phase.PROBLEM:
        return request.status == Status.REQUESTED or (request.status == Status.ACCEPTED and request.started_at is None)
    if request.status == Status.ACCEPTED:
        return True
    is_done = request.status in (Status.COMPLETED, Status.CLOSED)
    is_recent = request.completed_at is not None and at <= request.completed_at + AFTER_COMPLETION
    return phase is Phase.AFTER and is_done and is_recent


def sees(relation: Relation, request: Request, *, phase: str, is_author: bool, at: datetime) -> bool:
    """Return whether a user who sees the request sees a photo of this phase.

    Photos of the problem show the customer's home: the professionals who could accept the request see them, and its
    professional for as long as the address. Of other professionals' photos, a professional sees none.
    """
    if relation in (Relation.CUSTOMER, Relation.ADMIN):
        return True
    if phase != Phase.PROBLEM:
        return relation is Relation.PROFESSIONAL and is_author
    return relation is Relation.CANDIDATE or (
        relation is Relation.PROFESSIONAL and sees_contact(relation, request, at=at)
    )
