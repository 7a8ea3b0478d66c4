"""What people do with requests: each is one transition with its history and notifications, in one transaction."""

from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import ExclusionViolation
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import IntegrityError

from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import Forbidden
from backend.domain.accounts.models import Account
from backend.domain.professionals.models import Professional
from backend.domain.task_requests import policies, telling
from backend.domain.task_requests.bulk import cancel_all, give_back_all
from backend.domain.task_requests.creation import NewRequest, create
from backend.domain.task_requests.editing import edit
from backend.domain.task_requests.errors import OverlappingRequest
from backend.domain.task_requests.lifecycle import Action, Status
from backend.domain.task_requests.models import RequestRejection
from backend.domain.task_requests.transitions import Plan, carry_out

__all__ = [
    "NewRequest",
    "accept",
    "cancel",
    "cancel_all",
    "close",
    "complete",
    "create",
    "edit",
    "give_back_all",
    "reject",
    "release",
]


def accept(actor: Actor, *, request_id: int, expected_version: int | None = None) -> None:
    """Take a waiting request. Of many at once exactly one wins; the others get AlreadyTaken.

    Raises OverlappingRequest when the professional holds another at that time: the database itself refuses it.
    """

    def plan(row: Any) -> Plan:
        buffer = policies.for_task(row.task_id).travel_buffer_minutes
        _hold_account(actor)
        ends = row.date_of_request + timedelta(minutes=row.time_required + buffer)
        asked = row.asked_professional_id if row.asked_professional_id == actor.id else None
        return Plan(
            {
                "professional_id": actor.id,
                "asked_professional_id": asked,
                "asked_until": None,
                "accepted_at": now(),
                "busy": Range(row.date_of_request, ends, bounds="[)"),
                "moved_late": False,
            }
        )

    try:
        row = carry_out(actor, Action.ACCEPT, request_id=request_id, plan=plan, expected_version=expected_version)
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise OverlappingRequest("You hold another accepted request at that time.") from error
        raise
    telling.accepted(actor, row)


def _hold_account(actor: Actor) -> None:
    """Lock the professional's account until the end of the call.

    A block that runs at the same moment either waits and then gives this request back too, or is seen here; and two
    overlapping accepts of one person queue up instead of deadlocking in the exclusion constraint.
    """
    statement = (
        select(Account.blocked_at, Professional.approval)
        .join(Professional, Professional.account_id == Account.id)
        .where(Account.id == actor.id)
        .with_for_update(of=Account, key_share=True)
    )
    row = db.session.execute(statement).one()
    if row.blocked_at is not None:
        raise Forbidden("This account is blocked.", code="account_blocked")
    if row.approval != "approved":
        raise Forbidden("An admin has to approve your document first.", code="not_active")


def reject(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Turn a waiting request down: it is hidden from this professional and open to the others."""

    def plan(row: Any) -> Plan:
        asked = row.asked_professional_id == actor.id
        values: dict[str, Any] = {"asked_professional_id": None, "asked_until": None} if asked else {}
        return Plan(values, reason, _changes(reason_code, asked=asked or None), concerns_others=asked)

    row = carry_out(actor, Action.REJECT, request_id=request_id, plan=plan, expected_version=expected_version)
    values = {"professional_id": actor.id, "request_id": request_id, "reason": reason, "at": now()}
    db.session.execute(insert(RequestRejection).values(values).on_conflict_do_nothing())
    if row.asked_professional_id == actor.id:
        telling.rejected(actor, row, reason=reason)


def release(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Give an accepted request back to the market."""

    values = dict.fromkeys(("professional_id", "asked_professional_id", "accepted_at", "busy"))
    planned = Plan(values, reason, _changes(reason_code))
    row = carry_out(
        actor, Action.RELEASE, request_id=request_id, plan=lambda _: planned, expected_version=expected_version
    )
    telling.released([row], reason=reason)


def complete(actor: Actor, *, request_id: int, expected_version: int | None = None) -> None:
    """Say that the work is done."""
    row = carry_out(
        actor,
        Action.COMPLETE,
        request_id=request_id,
        plan=lambda row: Plan({"completed_at": _not_before(row.accepted_at)}),
        expected_version=expected_version,
    )
    _count_done(row.professional_id)
    telling.other_side(actor, row, kind="request_completed")


def close(actor: Actor, *, request_id: int, remarks: str | None = None, expected_version: int | None = None) -> None:
    """End a request; a customer may do so from accepted, which completes it as well."""

    def plan(row: Any) -> Plan:
        completed = row.completed_at or _not_before(row.accepted_at)
        values: dict[str, Any] = {"completed_at": completed, "closed_at": _not_before(completed)}
        if remarks:
            values["closing_remarks"] = remarks
        return Plan(values, remarks or None)

    row = carry_out(actor, Action.CLOSE, request_id=request_id, plan=plan, expected_version=expected_version)
    if row.status == Status.ACCEPTED:
        _count_done(row.professional_id)
    telling.other_side(actor, row, kind="request_closed", remarks=remarks)


def cancel(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Call a request off; marked late when a professional had set the time aside, even if it was moved away before."""

    def plan(row: Any) -> Plan:
        policy = policies.for_task(row.task_id)
        taken = row.status == Status.ACCEPTED
        late = row.moved_late or (taken and policy.is_late(row.date_of_request, at=now()))
        values = {"cancelled_at": now(), "cancelled_late": late, "asked_until": None}
        return Plan(values, reason, _changes(reason_code, late=late or None))

    row = carry_out(actor, Action.CANCEL, request_id=request_id, plan=plan, expected_version=expected_version)
    telling.cancelled([row], reason=reason)


def _not_before(earlier: datetime) -> datetime:
    """Now, or the earlier moment when another machine's clock is ahead of ours."""
    return max(now(), earlier)


def _count_done(professional_id: int) -> None:
    statement = update(Professional).where(Professional.account_id == professional_id)
    db.session.execute(
        statement.values(tasks_done=Professional.tasks_done + 1).execution_options(synchronize_session=False)
    )


def _changes(reason_code: str | None, **facts: Any) -> dict[str, Any] | None:
    kept = {name: value for name, value in {"reason_code": reason_code, **facts}.items() if value is not None}
    return kept or None
