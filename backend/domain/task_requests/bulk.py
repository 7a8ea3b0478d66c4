"""Changes that the system makes to many requests in one statement: after a block, and as time passes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, text, update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.security.authz import SYSTEM, Actor
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional
from backend.domain.task_requests import history, notifications, offers, price_lines
from backend.domain.task_requests.lifecycle import Action, Relation, Status, rule_of
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.rows import COLUMNS, NO_VISIT, Request
from backend.domain.task_requests.transitions import announce_change

HELD: Final = text("""
    WITH unapproved AS (
        SELECT account_id, approval FROM professionals
         WHERE approval IN ('pending', 'rejected', 'expired') AND holds_checked_at IS NULL
        UNION ALL
        SELECT account_id, approval FROM professionals WHERE approval = 'approved' AND approval_expires_at <= :at
    )
    SELECT r.id
      FROM unapproved p
      CROSS JOIN LATERAL (
        SELECT id FROM task_requests r
         WHERE r.professional_id = p.account_id AND r.status = 'accepted' AND r.date_of_request > :at
           AND (p.approval <> 'pending' OR r.date_of_request <= :soon)
        OFFSET 0
      ) r
     LIMIT :limit
""")
# Those who hold none can accept none until they are approved again, so they are not looked at again until then.
CHECKED: Final = text("""
    UPDATE professionals SET holds_checked_at = :at
     WHERE account_id IN (
        SELECT account_id FROM professionals p
         WHERE approval IN ('pending', 'rejected', 'expired') AND holds_checked_at IS NULL
           AND NOT EXISTS (SELECT FROM task_requests r
                            WHERE r.professional_id = p.account_id AND r.status = 'accepted'
                              AND r.date_of_request > :at)
         LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)
""")
DECISION_NEEDED: Final = timedelta(days=1)  # before the date; later, no other professional would be found
RELEASED: Final = {
    **dict.fromkeys(("professional_id", "asked_professional_id", "accepted_at", "busy")),
    **NO_VISIT,
    "price": func.coalesce(TaskRequest.from_price, TaskRequest.price),
}
OPENED: Final = dict.fromkeys(("asked_professional_id", "asked_until"))


def release_all(actor: Actor, *, professional_id: int, reason: str) -> int:
    """Release a professional's accepted requests and open those that they were asked; return how many.

    The customers are notified with the reason: it must hold nothing that they may not read.
    """
    mine = TaskRequest.professional_id == professional_id
    released = _change(actor, Action.RELEASE, Status.ACCEPTED, mine, values=RELEASED, note=reason)
    notifications.notify_released(released, reason=reason)
    asked = TaskRequest.asked_professional_id == professional_id
    opened = _change(actor, Action.OPEN, Status.REQUESTED, asked, values=OPENED, note=reason)
    notifications.notify_opened(opened, gone=True)
    offers.withdraw_of(professional_id)
    return len(released) + len(opened)


def release_unapproved(at: datetime | None = None, limit: int = 500) -> int:
    """Release accepted requests of professionals who are no longer approved; return how many.

    Requests whose date has passed stay as they are: the work may have been done, and the customer can complete them.
    While another document awaits a decision, requests are released only from a day before their date.
    """
    at = at or now()
    # The few who lost their approval and were not checked since are read first, instead of all accepted requests.
    db.session.execute(CHECKED, {"at": at, "limit": limit})
    held = db.session.execute(HELD, {"at": at, "soon": at + DECISION_NEEDED, "limit": limit}).scalars().all()
    if not held:
        return 0
    # The condition is repeated: it has to be true of the locked rows.
    upcoming = and_(TaskRequest.id.in_(held), TaskRequest.date_of_request > at, _is_unapproved(at))
    released = _change(
        SYSTEM, Action.RELEASE, Status.ACCEPTED, upcoming, values=RELEASED, note=notifications.NOT_APPROVED, limit=limit
    )
    notifications.notify_released(released, reason=notifications.NOT_APPROVED)
    return len(released)


def _is_unapproved(at: datetime) -> ColumnElement[bool]:
    """Return the condition of `HELD` that a request's professional is no longer approved."""
    approval = Professional.approval
    ended = or_(
        approval.in_((Approval.REJECTED, Approval.EXPIRED)),
        and_(approval == Approval.APPROVED, Professional.approval_expires_at <= at),
        and_(approval == Approval.PENDING, TaskRequest.date_of_request <= at + DECISION_NEEDED),
    )
    return exists().where(Professional.account_id == TaskRequest.professional_id, ended)


def cancel_all(actor: Actor, *, customer_id: int, reason: str) -> int:
    """Cancel a customer's open requests and notify their professionals; return how many."""
    theirs = TaskRequest.customer_id == customer_id
    values = {"cancelled_at": now(), "asked_until": None, "undecided_lines": 0}
    cancelled = [
        request
        for status in (Status.REQUESTED, Status.ACCEPTED)
        for request in _change(actor, Action.CANCEL, status, theirs, values=values, note=reason)
    ]
    notifications.notify_cancelled(cancelled, reason=None)
    return len(cancelled)


def expire_due(at: datetime | None = None, limit: int = 500) -> int:
    """Expire requests whose date has passed without acceptance; return how many. Repeat while that is ``limit``."""
    at = at or now()
    passed = TaskRequest.date_of_request <= at
    values = {"expired_at": at, "asked_until": None}
    expired = _change(SYSTEM, Action.EXPIRE, Status.REQUESTED, passed, values=values, limit=limit)
    notifications.notify_expired(expired)
    return len(expired)


def open_unanswered(at: datetime | None = None, limit: int = 500) -> int:
    """Open requests to all where the professional asked did not answer in time; return how many."""
    at = at or now()
    unanswered = and_(TaskRequest.asked_until <= at, TaskRequest.date_of_request > at)
    opened = _change(SYSTEM, Action.OPEN, Status.REQUESTED, unanswered, values=OPENED, limit=limit)
    notifications.notify_opened(opened)
    return len(opened)


def _change(
    actor: Actor,
    action: Action,
    source: Status,
    condition: ColumnElement[bool],
    *,
    values: Mapping[str, object],
    note: str | None = None,
    limit: int | None = None,
) -> list[Request]:
    """Change requests by the state table's rule for the system, with history; return them as they were before.

    Rows that another transaction is changing are waited for where no ``limit`` is set (after a block nothing may be
    left over), and skipped where one is: housekeeping runs again.
    """
    rule = rule_of(action, Relation.SYSTEM, source)
    if rule is None:
        raise ValueError(f"the state table does not allow the system to {action} from {source}")
    before = _lock(source, condition, limit)
    if not before:
        return []
    target = rule.target or source
    ids = [request.id for request in before]
    statement = (
        update(TaskRequest)
        .where(TaskRequest.id.in_(ids), TaskRequest.status == source)
        .values(status=target, version=TaskRequest.version + 1, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(statement)
    history.write(actor, [history.Entry(request_id, action, source, target, note) for request_id in ids])
    price_lines.withdraw_after(action, before)
    offers.end_after(action, before)
    for request in before:
        after = request._replace(status=target, version=request.version + 1, **_sides(values))
        announce_change(actor, request, after)
    return before


def _sides(values: Mapping[str, object]) -> dict[str, Any]:
    """Return the columns that say whom a request concerns, where they change."""
    return {name: values[name] for name in ("professional_id", "asked_professional_id") if name in values}


def _lock(source: Status, condition: ColumnElement[bool], limit: int | None) -> list[Request]:
    statement = (
        select(*COLUMNS, false(), false(), false())
        .where(TaskRequest.status == source, condition)
        .order_by(TaskRequest.id if limit is None else TaskRequest.date_of_request)
        .with_for_update(key_share=True, skip_locked=limit is not None)
    )
    rows = db.session.execute(statement if limit is None else statement.limit(limit))
    return [Request._make(row) for row in rows]
