"""What the market does to many requests at once: after a block, and as time passes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, text, update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.security.authz import SYSTEM, Actor
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional
from backend.domain.task_requests import history, notifications
from backend.domain.task_requests.lifecycle import Action, Relation, Rule, Status, rule_of
from backend.domain.task_requests.models import TaskRequest

HELD: Final = text("""
    SELECT r.id
      FROM professionals p
      CROSS JOIN LATERAL (
        SELECT id FROM task_requests r
         WHERE r.professional_id = p.account_id AND r.status = 'accepted' AND r.date_of_request > :at
           AND (p.approval <> 'pending' OR r.date_of_request <= :soon)
        OFFSET 0
      ) r
     WHERE p.approval IN ('rejected', 'expired', 'pending')
        OR (p.approval = 'approved' AND p.approval_expires_at <= :at)
     LIMIT :limit
""")
NOT_APPROVED: Final = "Not currently approved on the marketplace"
DECISION_NEEDED: Final = timedelta(days=1)  # time that is left to find someone else


def release_all(actor: Actor, *, professional_id: int, reason: str) -> int:
    """Give a professional's accepted requests back to the market and open those asked of them; returns how many.

    Their customers are told, with the reason: say nothing in it that is not for them to read.
    """
    mine = TaskRequest.professional_id == professional_id
    values = {"professional_id": None, "asked_professional_id": None, "accepted_at": None, "busy": None}
    released = _change(actor, Action.RELEASE, Status.ACCEPTED, mine, values=values, note=reason)
    notifications.notify_released(released, reason=reason)
    asked = TaskRequest.asked_professional_id == professional_id
    values = {"asked_professional_id": None, "asked_until": None}
    opened = _change(actor, Action.OPEN, Status.REQUESTED, asked, values=values, note=reason)
    notifications.notify_opened(opened, gone=True)
    return len(released) + len(opened)


def release_unapproved(at: datetime | None = None, limit: int = 500) -> int:
    """Give back what is still ahead and held by someone whose approval ended or was refused; returns how many.

    Requests whose date has passed stay: the work may have been done, and its customer can complete them. While
    another document waits for a decision the requests wait too, until the day before their date.
    """
    at = at or now()
    may_not = _may_not_work(TaskRequest.professional_id, at)
    values = {"professional_id": None, "asked_professional_id": None, "accepted_at": None, "busy": None}
    # Found by those who may not work, who are few: by the requests, all that are accepted would be read each minute.
    held = db.session.execute(HELD, {"at": at, "soon": at + DECISION_NEEDED, "limit": limit}).scalars().all()
    if not held:
        return 0
    ahead = and_(TaskRequest.id.in_(held), TaskRequest.date_of_request > at, may_not)
    released = _change(SYSTEM, Action.RELEASE, Status.ACCEPTED, ahead, values=values, note=NOT_APPROVED, limit=limit)
    notifications.notify_released(released, reason=NOT_APPROVED)
    return len(released)


def _may_not_work(professional_id: Any, at: datetime) -> ColumnElement[bool]:
    approval = Professional.approval
    ended = or_(
        approval.in_((Approval.REJECTED, Approval.EXPIRED)),
        and_(approval == Approval.APPROVED, Professional.approval_expires_at <= at),
        and_(approval == Approval.PENDING, TaskRequest.date_of_request <= at + DECISION_NEEDED),
    )
    return exists().where(Professional.account_id == professional_id, ended)


def cancel_all(actor: Actor, *, customer_id: int, reason: str) -> int:
    """Cancel a customer's open requests and tell their professionals; returns how many."""
    theirs = TaskRequest.customer_id == customer_id
    values = {"cancelled_at": now(), "asked_until": None}
    rows = [
        row
        for status in (Status.REQUESTED, Status.ACCEPTED)
        for row in _change(actor, Action.CANCEL, status, theirs, values=values, note=reason)
    ]
    notifications.notify_cancelled(rows, reason=None)
    return len(rows)


def expire_due(at: datetime | None = None, limit: int = 500) -> int:
    """Expire waiting requests whose date has passed; returns how many. Call again while it is ``limit``."""
    at = at or now()
    passed = TaskRequest.date_of_request <= at
    values = {"expired_at": at, "asked_until": None}
    rows = _change(SYSTEM, Action.EXPIRE, Status.REQUESTED, passed, values=values, limit=limit)
    notifications.notify_expired(rows)
    return len(rows)


def open_unanswered(at: datetime | None = None, limit: int = 500) -> int:
    """Open requests to all that the professional asked for did not answer in time; returns how many."""
    at = at or now()
    unanswered = and_(TaskRequest.asked_until <= at, TaskRequest.date_of_request > at)
    values = {"asked_professional_id": None, "asked_until": None}
    rows = _change(SYSTEM, Action.OPEN, Status.REQUESTED, unanswered, values=values, limit=limit)
    notifications.notify_opened(rows)
    return len(rows)


def _change(
    actor: Actor,
    action: Action,
    source: Status,
    condition: ColumnElement[bool],
    *,
    values: dict[str, Any],
    note: str | None = None,
    limit: int | None = None,
) -> Sequence[Any]:
    """One UPDATE by the state table's rule for the market, with history; returns the rows as they were before.

    Rows that someone changes at this moment are waited for after a block (nothing may be left over) and skipped by
    housekeeping, which comes again.
    """
    rule = rule_of(action, Relation.SYSTEM, source)
    if rule is None:
        raise ValueError(f"the state table does not allow the system to {action} from {source}")
    before = _lock(source, condition, limit)
    if before:
        _write(actor, rule, source, [row.id for row in before], values=values, note=note)
    return before


def _lock(source: Status, condition: ColumnElement[bool], limit: int | None) -> Sequence[Any]:
    statement = (
        select(
            TaskRequest.id,
            TaskRequest.task_name,
            TaskRequest.customer_id,
            TaskRequest.professional_id,
            TaskRequest.asked_professional_id,
            TaskRequest.asked_professional_id.label("asked_before"),
            TaskRequest.date_of_request,
        )
        .where(TaskRequest.status == source, condition)
        .order_by(TaskRequest.id if limit is None else TaskRequest.date_of_request)
        .with_for_update(key_share=True, skip_locked=limit is not None)
    )
    return db.session.execute(statement if limit is None else statement.limit(limit)).all()


def _write(
    actor: Actor, rule: Rule, source: Status, ids: list[int], *, values: dict[str, Any], note: str | None
) -> None:
    target = rule.target or source
    statement = (
        update(TaskRequest)
        .where(TaskRequest.id.in_(ids), TaskRequest.status == source)
        .values(status=target, version=TaskRequest.version + 1, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(statement)
    history.write(actor, [history.Entry(key, rule.action, source, target, note) for key in ids])
