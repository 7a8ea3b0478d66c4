"""What customers and professionals do with a request, from creating it to closing it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import ExclusionViolation
from sqlalchemy import insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Forbidden, Invalid
from backend.core.security.authz import Actor
from backend.domain.accounts.models import Account
from backend.domain.market import settings
from backend.domain.places import queries as places
from backend.domain.professionals.models import Professional, ProfessionalTask
from backend.domain.task_requests import history, matching, notifications, policies
from backend.domain.task_requests.errors import OverlappingRequest, TaskNotAvailable
from backend.domain.task_requests.lifecycle import Action, Status
from backend.domain.task_requests.models import RequestRejection, TaskRequest
from backend.domain.task_requests.transitions import Change, execute
from backend.domain.tasks.models import Task


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a customer asks for. Address and pincode are the customer's own where none are given."""

    task_id: int
    date_of_request: datetime
    remarks: str = ""
    address: str | None = None
    pincode: str | None = None
    professional_id: int | None = None


def create(actor: Actor, *, new: NewRequest) -> int:
    """Make a request; returns its id.

    Raises Invalid (422) for an unknown task, place or professional, or a date too soon; TaskNotAvailable for a task
    that is not offered; TooManyOpenRequests and TooMany beyond a customer's limits.
    """
    customer = _hold_customer(actor)
    task = _offered(new.task_id)
    at = now()
    policies.check(actor.account_id, signed_up=customer.created_at, at=at)
    policy = policies.for_task(task.id)
    policy.check_notice(new.date_of_request, at=at)
    if new.pincode is not None:
        places.require(new.pincode)
    if new.professional_id is not None:
        _hold_professional(new.professional_id, task_id=task.id, at=at)
    asked_until = policy.answer_by(date_of_request=new.date_of_request, at=at) if new.professional_id else None
    values = {
        "task_id": task.id,
        "task_name": task.name,
        "customer_id": actor.id,
        "asked_professional_id": new.professional_id,
        "asked_until": asked_until,
        "date_of_request": new.date_of_request,
        "price": task.base_price,
        "currency": task.currency,
        "time_required": task.time_required,
        "address": new.address or customer.address,
        "pincode": new.pincode or customer.pincode,
        "remarks": new.remarks,
        "created_at": at,
        "updated_at": at,
    }
    row = db.session.execute(insert(TaskRequest).values(values).returning(*TaskRequest.__table__.columns)).one()
    history.write(actor, [history.Entry(row.id, Action.CREATE, None, Status.REQUESTED, new.remarks or None)])
    notifications.notify_requested(row, _who_hears(row))
    return int(row.id)


def _hold_customer(actor: Actor) -> Any:
    """The customer's address; the account is held so that a block at the same moment cancels this request too."""
    statement = (
        select(Account.address, Account.pincode, Account.blocked_at, Account.created_at)
        .where(Account.id == actor.id)
        .with_for_update(key_share=True)
    )
    row = db.session.execute(statement).one()
    if row.blocked_at is not None:
        raise Forbidden("This account is blocked.", code="account_blocked")
    return row


def _offered(task_id: int) -> Any:
    statement = select(
        Task.id, Task.name, Task.base_price, Task.currency, Task.time_required, Task.isactive, Task.archived_at
    ).where(Task.id == task_id)
    task = db.session.execute(statement.with_for_update(read=True, key_share=True)).one_or_none()
    if task is None:
        raise Invalid.field("task_id", "This task does not exist.", code="unknown_task")
    if not task.isactive or task.archived_at is not None:
        raise TaskNotAvailable("This task is not currently available. Choose another.")
    return task


def _hold_professional(professional_id: int, *, task_id: int, at: datetime) -> None:
    """Who is asked for, held as they are: a block at the same moment finds this request too, or is seen here."""
    statement = (
        select(Professional.account_id)
        .join(Account, Account.id == Professional.account_id)
        .join(ProfessionalTask, ProfessionalTask.account_id == Professional.account_id)
        .where(
            Professional.account_id == professional_id,
            Professional.approval == "approved",
            or_(Professional.approval_expires_at.is_(None), Professional.approval_expires_at > at),
            Account.blocked_at.is_(None),
            ProfessionalTask.task_id == task_id,
        )
        .with_for_update(of=[Account, Professional], read=True)
    )
    if db.session.execute(statement).one_or_none() is None:
        message = "No active professional with this id offers this task."
        raise Invalid.field("professional_id", message, code="professional_not_available")


def _who_hears(row: Any) -> list[int]:
    if row.asked_professional_id is not None:
        return [row.asked_professional_id]
    limit = settings.get().tell_nearest
    return matching.nearest(task_id=row.task_id, pincode=row.pincode, limit=limit) if limit else []


@dataclass(frozen=True, slots=True)
class Edits:
    """What may be changed; None leaves it as it is."""

    date_of_request: datetime | None = None
    remarks: str | None = None
    address: str | None = None
    pincode: str | None = None

    def differing(self, row: Any) -> dict[str, Any]:
        """The columns that really change."""
        given = {name: getattr(self, name) for name in ("date_of_request", "remarks", "address", "pincode")}
        return {name: value for name, value in given.items() if value is not None and value != getattr(row, name)}


def edit(actor: Actor, *, request_id: int, edits: Edits, expected_version: int | None = None) -> None:
    """Change remarks, address, pincode, or the date; a new date asks the same professional again."""
    if edits.pincode is not None:
        places.require(edits.pincode)
    different: dict[str, Any] = {}

    def plan(row: Any) -> Change | None:
        different.clear()
        different.update(edits.differing(row))
        if not different:
            return None
        changes = {name: [_plain(getattr(row, name)), _plain(value)] for name, value in different.items()}
        if "date_of_request" not in different:
            return Change(dict(different), changes=changes)
        values = {**different, **_moved(row, different["date_of_request"])}
        return Change(values, changes=changes, action=Action.MOVE)

    row = execute(actor, Action.EDIT, request_id=request_id, plan=plan, expected_version=expected_version)
    if different:
        date = different.get("date_of_request", row.date_of_request)
        notifications.notify_changed(row, date=date, what=[name.replace("_of_request", "") for name in different])


def _moved(row: Any, date_of_request: datetime) -> dict[str, Any]:
    """What a new date does beside itself: nobody has accepted it, the same professional is asked first."""
    at = now()
    policy = policies.for_task(row.task_id)
    policy.check_notice(date_of_request, at=at)
    asked = row.professional_id or row.asked_professional_id
    values: dict[str, Any] = {"professional_id": None, "accepted_at": None, "busy": None}
    values["asked_professional_id"] = asked
    values["asked_until"] = policy.answer_by(date_of_request=date_of_request, at=at) if asked else None
    if row.status == Status.ACCEPTED:
        values["moved_late"] = policy.is_late(row.date_of_request, at=at)
    return values


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def accept(actor: Actor, *, request_id: int, expected_version: int | None = None) -> None:
    """Take a waiting request. Of many at once exactly one wins; the others get AlreadyTaken.

    Raises OverlappingRequest when the professional holds another at that time: the database itself refuses it.
    """

    def plan(row: Any) -> Change:
        buffer = policies.for_task(row.task_id).travel_buffer_minutes
        _hold_account(actor)
        ends = row.date_of_request + timedelta(minutes=row.time_required + buffer)
        asked = row.asked_professional_id if row.asked_professional_id == actor.id else None
        return Change(
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
        row = execute(actor, Action.ACCEPT, request_id=request_id, plan=plan, expected_version=expected_version)
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise OverlappingRequest("You have already accepted another request at that time.") from error
        raise
    notifications.notify_accepted(actor, row)


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
        raise Forbidden("Your account is not active. An admin must approve your document first.", code="not_active")


def reject(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Turn a waiting request down: it is hidden from this professional and open to the others."""

    def plan(row: Any) -> Change:
        asked = row.asked_professional_id == actor.id
        values: dict[str, Any] = {"asked_professional_id": None, "asked_until": None} if asked else {}
        return Change(values, reason, _changes(reason_code, asked=asked or None), concerns_others=asked)

    row = execute(actor, Action.REJECT, request_id=request_id, plan=plan, expected_version=expected_version)
    values = {"professional_id": actor.id, "request_id": request_id, "reason": reason, "at": now()}
    db.session.execute(postgresql.insert(RequestRejection).values(values).on_conflict_do_nothing())
    if row.asked_professional_id == actor.id:
        notifications.notify_rejected(actor, row, reason=reason)


def release(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Give an accepted request back to the market."""

    values = dict.fromkeys(("professional_id", "asked_professional_id", "accepted_at", "busy"))
    planned = Change(values, reason, _changes(reason_code))
    row = execute(
        actor, Action.RELEASE, request_id=request_id, plan=lambda _: planned, expected_version=expected_version
    )
    notifications.notify_released([row], reason=reason)


def complete(actor: Actor, *, request_id: int, expected_version: int | None = None) -> None:
    """Say that the work is done."""
    row = execute(
        actor,
        Action.COMPLETE,
        request_id=request_id,
        plan=lambda row: Change({"completed_at": _not_before(row.accepted_at)}),
        expected_version=expected_version,
    )
    _count_done(row.professional_id)
    notifications.notify_other_side(actor, row, kind="request_completed")


def close(actor: Actor, *, request_id: int, remarks: str | None = None, expected_version: int | None = None) -> None:
    """End a request; a customer may do so from accepted, which completes it as well."""

    def plan(row: Any) -> Change:
        completed = row.completed_at or _not_before(row.accepted_at)
        values: dict[str, Any] = {"completed_at": completed, "closed_at": _not_before(completed)}
        if remarks:
            values["closing_remarks"] = remarks
        return Change(values, remarks or None)

    row = execute(actor, Action.CLOSE, request_id=request_id, plan=plan, expected_version=expected_version)
    if row.status == Status.ACCEPTED:
        _count_done(row.professional_id)
    notifications.notify_other_side(actor, row, kind="request_closed", remarks=remarks)


def cancel(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> None:
    """Call a request off; marked late when a professional had set the time aside, even if it was moved away before."""

    def plan(row: Any) -> Change:
        policy = policies.for_task(row.task_id)
        taken = row.status == Status.ACCEPTED
        late = row.moved_late or (taken and policy.is_late(row.date_of_request, at=now()))
        values = {"cancelled_at": now(), "cancelled_late": late, "asked_until": None}
        return Change(values, reason, _changes(reason_code, late=late or None))

    row = execute(actor, Action.CANCEL, request_id=request_id, plan=plan, expected_version=expected_version)
    notifications.notify_cancelled([row], reason=reason)


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
