"""The one way in which a request changes: by the state table, in one conditional UPDATE with its history row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Executable, and_, select, text, update

from backend.core.clock import now
from backend.core.concurrency import hold_key_lock
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Forbidden, Stale
from backend.core.security.authz import Actor
from backend.domain.task_requests import history
from backend.domain.task_requests.access import is_reviewable, relation
from backend.domain.task_requests.errors import (
    AlreadyReviewed,
    AlreadyTaken,
    InvalidTransition,
    RequestNotFound,
    ReviewTooLate,
    TaskNotDone,
)
from backend.domain.task_requests.lifecycle import (
    VISIBLE_TO,
    Action,
    Facts,
    Relation,
    Rule,
    Status,
    allowed_actions,
    rule_of,
    sources_of,
)
from backend.domain.task_requests.models import TaskRequest

TRIES: Final = 8  # each lost try means that someone else changed the request: it cannot go on for long
# Plain SQL and no more columns than rules need: of sixty who accept at once, all but one do nothing else than this.
READ: Final = text("""
SELECT r.id, r.status, r.version, r.customer_id, r.professional_id, r.asked_professional_id, r.asked_until,
       r.date_of_request, r.task_id, r.task_name, r.time_required, r.address, r.pincode, r.remarks, r.moved_late,
       r.accepted_at, r.completed_at, r.closed_at, r.reviewed_at,
       EXISTS (SELECT FROM professional_tasks t WHERE t.account_id = :actor_id AND t.task_id = r.task_id) AS does_task,
       EXISTS (SELECT FROM request_rejections n WHERE n.professional_id = :actor_id AND n.request_id = r.id) AS rejected
  FROM task_requests r WHERE r.id = :id
""")
PROFESSIONALS: Final = frozenset({Relation.PROFESSIONAL, Relation.CANDIDATE, Relation.VIEWER})
TAKEN: Final = frozenset({Status.ACCEPTED, Status.COMPLETED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Change:
    """What a permitted action writes: columns of the request, and what the history says.

    ``action``: it turned out to be this one (an edit that changes the date is a move). ``concerns_others``: not so when
    the request stays as it is for everyone else; it keeps its version then, and their ETags stay good.
    """

    values: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    changes: dict[str, Any] | None = None
    action: Action | None = None
    concerns_others: bool = True


def execute(
    actor: Actor,
    action: Action,
    *,
    request_id: int,
    plan: Callable[[Any], Change | None],
    expected_version: int | None = None,
) -> Any:
    """Do one action; returns the request as it was before.

    The row is read, held against the state table, and changed only if it is still that very version: whoever comes
    second reads again and is told what the state is now. Who may not is refused before a transaction begins. Raises
    RequestNotFound, Stale (If-Match), InvalidTransition, AlreadyTaken or TaskNotDone. A plan of None changes nothing.
    """
    hold_key_lock(("task_requests", request_id))
    for _ in range(TRIES):
        row = _read(actor, request_id)
        rule = authorize(actor, row, action, expected_version=expected_version)
        planned = plan(row)
        if planned is not None and planned.action is not None:
            rule = authorize(actor, row, planned.action)
        if planned is None or _write(actor, row, rule, planned):
            return row
    raise InvalidTransition("The request is being changed by someone else. Load it again, then retry.")


def _read(actor: Actor, request_id: int) -> Any:
    row = read_pool.one(READ, {"id": request_id, "actor_id": actor.id})
    if row is None:
        raise RequestNotFound
    return row


def authorize(actor: Actor, row: Any, action: Action, *, expected_version: int | None = None) -> Rule:
    """The table's row that allows it, or the error that says why not: not visible, stale, wrong state, wrong person."""
    at = now()
    status, who = Status(row.status), relation(actor, row, at=at)
    if who is Relation.MISSED and Relation.CANDIDATE in _who_may(action):
        raise _too_late(action, status)
    if who is not Relation.SYSTEM and who not in VISIBLE_TO:
        raise RequestNotFound
    if expected_version is not None and expected_version != row.version:
        raise Stale("The request has changed since you loaded it. Load it again, then repeat your change.")
    rule = rule_of(action, who, status)
    facts = Facts(passed=row.date_of_request <= at, reviewable=is_reviewable(row, at=at))
    if rule is not None and (who is Relation.SYSTEM or action.public in allowed_actions(status, who, facts)):
        return rule
    raise _refusal(action, row, who)


def _who_may(action: Action) -> frozenset[Relation]:
    return frozenset(r for source in sources_of(action) for r in Relation if rule_of(action, r, source))


def _too_late(action: Action, status: Status) -> InvalidTransition | AlreadyTaken:
    if status in TAKEN:
        return AlreadyTaken("Another professional has already accepted this request.")
    return InvalidTransition(f"This request can no longer be {_done(action)}. Its status is {_now(status)}.")


def _refusal(action: Action, row: Any, who: Relation) -> Exception:
    status = Status(row.status)
    same_side = PROFESSIONALS if who in PROFESSIONALS else frozenset({who})
    if not same_side & _who_may(action):
        return Forbidden("You are not permitted to perform this action on this request.", code="role_not_allowed")
    if who is Relation.VIEWER and status in sources_of(action):
        return TaskNotDone("You do not offer this task. Add it to your tasks first.")
    if action is Action.REVIEW and status in sources_of(action):
        return AlreadyReviewed() if row.reviewed_at else ReviewTooLate()
    return InvalidTransition(f"This request cannot be {_done(action)}. Its status is {_now(status)}.")


def _done(action: Action) -> str:
    return "cancelled" if action is Action.CANCEL else action + ("d" if action.endswith("e") else "ed")


def _now(status: Status) -> str:
    return "requested, and its date may have passed" if status is Status.REQUESTED else status.value


def _write(actor: Actor, row: Any, rule: Rule, planned: Change) -> bool:
    target = rule.target or Status(row.status)
    unchanged = and_(
        TaskRequest.id == row.id,
        TaskRequest.status.in_([source for source in rule.sources if source is not None]),
        TaskRequest.version == row.version,
    )
    statement: Executable = (
        update(TaskRequest)
        .where(unchanged)
        .values(status=target, version=TaskRequest.version + 1, updated_at=now(), **planned.values)
        .returning(TaskRequest.id)
        .execution_options(synchronize_session=False)
    )
    if not planned.concerns_others:
        # Held until the commit, so that the history stays in order; several may hold it at once.
        statement = select(TaskRequest.id).where(unchanged).with_for_update(read=True)
    if db.session.execute(statement).one_or_none() is None:
        return False
    entry = history.Entry(row.id, rule.action, row.status, target, planned.note, planned.changes)
    history.write(actor, [entry])
    return True
