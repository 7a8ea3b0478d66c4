"""Actions of customers and professionals on one request, from creating it to closing it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from psycopg.errors import ExclusionViolation
from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from backend.core.clock import now
from backend.core.db.pagination import AnySelect
from backend.core.db.session import db
from backend.core.errors import Forbidden, Invalid
from backend.core.security.authz import Actor, Role
from backend.domain.places import queries as places
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional
from backend.domain.task_requests import asking, checklists, history, matching, notifications, offers, policies, queries
from backend.domain.task_requests.errors import ChecklistOpen, OverlappingRequest, TaskNotAvailable
from backend.domain.task_requests.lifecycle import Action, Status
from backend.domain.task_requests.models import RequestRejection
from backend.domain.task_requests.reported_times import reported_changes, time_of_step
from backend.domain.task_requests.rows import COLUMNS, NO_VISIT, TABLE, Request, RequestWithContacts, with_contacts
from backend.domain.task_requests.transitions import (
    announce_change,
    load,
    retry_when_changed,
    with_entry,
    write,
    write_history,
)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What a customer requests. Address and pincode are the customer's own where None."""

    task_id: int
    date_of_request: datetime
    remarks: str = ""
    address: str | None = None
    pincode: str | None = None
    professional_id: int | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """What a customer changes; None leaves a field as it is."""

    date_of_request: datetime | None = None
    remarks: str | None = None
    address: str | None = None
    pincode: str | None = None

    def differing(self, request: Request) -> dict[str, object]:
        """Return the columns that get another value."""
        given = {name: getattr(self, name) for name in ("date_of_request", "remarks", "address", "pincode")}
        return {name: value for name, value in given.items() if value is not None and value != getattr(request, name)}


def create(actor: Actor, *, new: NewRequest) -> RequestWithContacts:
    """Create a request with the task's current name, price and time; notify the professional asked, or the nearest.

    Raises:
        Invalid: The task, place or professional is unknown, or the date too early.
        TaskNotAvailable: The task is not offered.
        TooManyOpenRequests, TooMany: The customer is at a limit.
    """
    customer, task = _lock_customer_and_task(actor, new.task_id)
    at = now()
    policy, tell_nearest = policies.for_new_request(
        actor.account_id, task_id=task.id, signed_up=customer.created_at, at=at, pincode=new.pincode
    )
    policy.check_notice(new.date_of_request, at=at)
    if new.professional_id is not None:
        asking.lock_professional(actor, new.professional_id, task_id=task.id, at=at)
    asked_until = policy.answer_by(date_of_request=new.date_of_request, at=at) if new.professional_id else None
    values = {
        "task_id": task.id,
        "task_name": task.name,
        "customer_id": actor.id,
        "asked_professional_id": new.professional_id,
        "asked_until": asked_until,
        "date_of_request": new.date_of_request,
        "price": task.base_price,
        "from_price": task.base_price if task.pricing == "quote" else None,
        "currency": task.currency,
        "time_required": task.time_required,
        "address": new.address or customer.address,
        "pincode": new.pincode or customer.pincode,
        "remarks": new.remarks,
        "created_at": at,
        "updated_at": at,
    }
    entry = history.Entry(None, Action.CREATE, None, Status.REQUESTED, new.remarks or None)
    parameters = {f"new_{name}": value for name, value in values.items()} | history.entry_parameters(actor, entry)
    row = with_contacts(db.session.execute(_insert(tuple(values)), parameters).one())
    announce_change(actor, row.request, row.request)
    notifications.notify_requested(row.request, _recipients(row.request, most=tell_nearest))
    return row


@cache
def _insert(columns: tuple[str, ...]) -> AnySelect:
    values = {name: bindparam(f"new_{name}", type_=TABLE.c[name].type) for name in columns}
    created = insert(TABLE).values(values).returning(*COLUMNS).cte("created")
    return with_entry(created, role=Role.CUSTOMER)


class _Customer(NamedTuple):
    address: str
    pincode: str
    blocked_at: datetime | None
    created_at: datetime


class _OfferedTask(NamedTuple):
    id: int
    name: str
    base_price: Decimal
    currency: str
    time_required: int
    isactive: bool
    archived_at: datetime | None
    pricing: str


# The account is locked first: no row of the task is looked up before.
LOCKED: Final = text("""
  WITH customer AS (
       SELECT address, pincode, blocked_at, created_at FROM accounts WHERE id = :customer_id FOR NO KEY UPDATE
     ), task AS (
       SELECT id, name, base_price, currency, time_required, isactive, archived_at, pricing
         FROM tasks WHERE id = :task_id FOR KEY SHARE
     )
SELECT customer.*, task.* FROM customer LEFT JOIN task ON true
""")


def _lock_customer_and_task(actor: Actor, task_id: int) -> tuple[_Customer, _OfferedTask]:
    """Return both, locked: a block at the same time cancels this request too, and the task is not deleted meanwhile."""
    row = db.session.execute(LOCKED, {"customer_id": actor.id, "task_id": task_id}).one()
    width = len(_Customer._fields)
    customer = _Customer._make(row[:width])
    if customer.blocked_at is not None:
        raise Forbidden("This account is blocked.", code="account_blocked")
    if row[width] is None:
        raise Invalid.field("task_id", "This task does not exist.", code="unknown_task")
    task = _OfferedTask._make(row[width:])
    if not task.isactive or task.archived_at is not None:
        raise TaskNotAvailable("This task is not currently available. Choose another.")
    return customer, task


def _recipients(request: Request, *, most: int) -> list[int]:
    """Return the professionals to notify of a new request: the one asked, or else the nearest."""
    if request.asked_professional_id is not None:
        return [request.asked_professional_id]
    if not most:
        return []
    return matching.nearest(
        task_id=request.task_id, pincode=request.pincode, limit=most, customer_id=request.customer_id
    )


@retry_when_changed
def edit(actor: Actor, *, request_id: int, edits: Edits, expected_version: int | None = None) -> RequestWithContacts:
    """Change remarks, address, pincode or date; a new date withdraws the acceptance and asks the professional again.

    Raises:
        Invalid: There is no such pincode, or the date is too early.
    """
    if edits.pincode is not None:
        places.require(edits.pincode)
    request = load(actor, Action.EDIT, request_id=request_id, expected_version=expected_version)
    values = edits.differing(request)
    if not values:
        return queries.one(actor, request_id=request_id)[0]
    names = list(values)
    changes: dict[str, object] = {
        name: [_plain(getattr(request, name)), _plain(value)] for name, value in values.items()
    }
    action = Action.EDIT
    if edits.date_of_request is not None and "date_of_request" in values:
        action = Action.MOVE
        values |= _moved(request, edits.date_of_request)
    changed = write(actor, request, action, values, changes=changes)
    notifications.notify_changed(request, date=changed.request.date_of_request, columns=names)
    return changed


def _moved(request: Request, date_of_request: datetime) -> dict[str, object]:
    """Return what a new date changes besides: the acceptance ends, and the same professional is asked first."""
    at = now()
    policy = policies.for_task(request.task_id)
    policy.check_notice(date_of_request, at=at)
    asked = request.professional_id or request.asked_professional_id
    values: dict[str, object] = {"professional_id": None, "accepted_at": None, "busy": None, **NO_VISIT}
    values |= price_before(request)
    values["asked_professional_id"] = asked
    values["asked_until"] = policy.answer_by(date_of_request=date_of_request, at=at) if asked else None
    if request.status == Status.ACCEPTED:
        values["moved_late"] = policy.is_late(request.date_of_request, at=at)
    return values


def price_before(request: Request) -> dict[str, object]:
    """Return the price as it is again when an acceptance ends, where it was agreed by offer."""
    return {"price": request.price_before} if request.is_by_offer else {}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


@retry_when_changed
def accept(actor: Actor, *, request_id: int, expected_version: int | None = None) -> RequestWithContacts:
    """Accept a request. Of several professionals who do so at the same time, one wins; the others get AlreadyTaken.

    Raises:
        OverlappingRequest: The professional has accepted another request at that time. The database refuses it.
    """
    request = load(actor, Action.ACCEPT, request_id=request_id, expected_version=expected_version)
    values, has_checklist = acceptance(request, professional_id=actor.account_id)
    try:
        changed = write(actor, request, Action.ACCEPT, values)
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            raise OverlappingRequest("You have already accepted another request at that time.") from error
        raise
    if has_checklist:
        checklists.copy(request.id, task_id=request.task_id)
    notifications.notify_accepted(changed)
    return changed


def acceptance(request: Request, *, professional_id: int) -> tuple[dict[str, object], bool]:
    """Return what an acceptance changes, and whether `checklists.copy` is to follow it.

    The professional's account is locked until the transaction ends.

    Raises:
        Forbidden: The account is blocked, or not active.
    """
    policy, has_checklist = _lock_professional(professional_id, request)
    ends = request.date_of_request + timedelta(minutes=request.time_required + policy.travel_buffer_minutes)
    values: dict[str, object] = {
        "professional_id": professional_id,
        "asked_professional_id": professional_id if request.asked_professional_id == professional_id else None,
        "asked_until": None,
        "accepted_at": now(),
        "busy": Range(request.date_of_request, ends, bounds="[)"),
        "moved_late": False,
        **NO_VISIT,
        "start_code_policy": policy.start_code,
    }
    return values, has_checklist


LOCKED_PROFESSIONAL: Final = text(f"""
SELECT account.blocked_at, professional.approval, {checklists.IS_NEEDED},
       {policies.COLUMNS}
  FROM accounts account JOIN professionals professional ON professional.account_id = account.id,
       {policies.SOURCE}
 WHERE account.id = :professional_id FOR NO KEY UPDATE OF account
""")  # noqa: S608  # all parts are constants


def _lock_professional(professional_id: int, request: Request) -> tuple[policies.Policy, bool]:
    """Lock the professional's account until the transaction ends; return the task's policy and if it has a checklist.

    A block at the same time either waits, and then releases this request as well, or is seen here. Two overlapping
    requests that one professional accepts at the same time queue up instead of a deadlock in the exclusion constraint.
    """
    values = {"professional_id": professional_id, "task_id": request.task_id, "request_id": request.id}
    blocked_at, approval, has_checklist, *policy = db.session.execute(LOCKED_PROFESSIONAL, values).one()
    if blocked_at is not None:
        raise Forbidden("This account is blocked.", code="account_blocked")
    if approval != Approval.APPROVED:
        raise Forbidden("Your account is not active. An admin must approve your document first.", code="not_active")
    return policies.of_row(policy), has_checklist


@retry_when_changed
def reject(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Decline a request: it is hidden from this professional and open to the others."""
    request = load(actor, Action.REJECT, request_id=request_id, expected_version=expected_version)
    if request.asked_professional_id == actor.id:
        values = {"asked_professional_id": None, "asked_until": None}
        changes = _changes(reason_code, asked=True)
        changed = write(actor, request, Action.REJECT, values, note=reason, changes=changes)
        notifications.notify_rejected(actor, request, reason=reason)
    else:
        # The request stays as it is for everyone else: with its version, their ETags stay valid.
        changed = write_history(actor, request, Action.REJECT, note=reason, changes=_changes(reason_code))
    if request.is_by_offer:
        offers.withdraw_of(actor.account_id, request_id=request_id)
    rejection = {"professional_id": actor.id, "request_id": request_id, "reason": reason, "at": now()}
    db.session.execute(postgresql.insert(RequestRejection).values(rejection).on_conflict_do_nothing())
    return changed._replace(request=changed.request._replace(rejected=True))


@retry_when_changed
def release(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Release an accepted request, so that others can accept it."""
    request = load(actor, Action.RELEASE, request_id=request_id, expected_version=expected_version)
    values = {**dict.fromkeys(("professional_id", "asked_professional_id", "accepted_at", "busy")), **NO_VISIT}
    values |= price_before(request)
    changed = write(actor, request, Action.RELEASE, values, note=reason, changes=_changes(reason_code))
    notifications.notify_released([request], reason=reason)
    return changed


@retry_when_changed
def complete(
    actor: Actor, *, request_id: int, at: datetime | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Mark the work as completed, and count it for its professional. ``at`` is the time reported by an offline client.

    Raises:
        Invalid: The reported time is not possible.
    """
    request = load(actor, Action.COMPLETE, request_id=request_id, expected_version=expected_version)
    completed_at = time_of_step(request, at)
    changes = reported_changes(reported=at)
    changed = write(actor, request, Action.COMPLETE, {"completed_at": completed_at}, changes=changes)
    _count_done(request)
    notifications.notify_other_side(actor, request, kind="request_completed")
    return changed


@retry_when_changed
def close(
    actor: Actor, *, request_id: int, remarks: str | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Close a request. Its customer can do so while it is accepted, which completes it as well."""
    request = load(actor, Action.CLOSE, request_id=request_id, expected_version=expected_version)
    completed_at = request.completed_at or _not_before(request.started_at or request.accepted_at)
    values: dict[str, object] = {"completed_at": completed_at, "closed_at": _not_before(completed_at)}
    if remarks:
        values["closing_remarks"] = remarks
    changed = write(actor, request, Action.CLOSE, values, note=remarks or None)
    if request.status == Status.ACCEPTED:
        _count_done(request)
    notifications.notify_other_side(actor, request, kind="request_closed", remarks=remarks)
    return changed


@retry_when_changed
def cancel(
    actor: Actor, *, request_id: int, reason: str, reason_code: str | None = None, expected_version: int | None = None
) -> RequestWithContacts:
    """Cancel a request.

    It is marked as late when a professional had reserved the time, even where its date was changed in between.
    """
    request = load(actor, Action.CANCEL, request_id=request_id, expected_version=expected_version)
    policy = policies.for_task(request.task_id)
    was_accepted = request.status == Status.ACCEPTED
    late = request.moved_late or (was_accepted and policy.is_late(request.date_of_request, at=now()))
    values = {"cancelled_at": now(), "cancelled_late": late, "asked_until": None, "undecided_lines": 0}
    changed = write(
        actor, request, Action.CANCEL, values, note=reason, changes=_changes(reason_code, late=late or None)
    )
    notifications.notify_cancelled([request], reason=reason)
    return changed


def _not_before(earlier: datetime | None) -> datetime:
    """Return the current time, or the earlier time when another machine's clock is ahead of this machine's."""
    return max(now(), earlier) if earlier else now()


def _count_done(request: Request) -> None:
    """Count the work for its professional, unless a point that is required is not ticked.

    The request was changed before, in this transaction: its row is locked, so that no point changes until the commit.

    Raises:
        ChecklistOpen: At least one point is open.
    """
    statement = update(Professional).where(Professional.account_id == request.professional_id)
    counted = statement.values(tasks_done=Professional.tasks_done + 1).returning(checklists.OPEN_POINTS)
    number = db.session.execute(
        counted.execution_options(synchronize_session=False), {"request_id": request.id}
    ).scalar_one()
    if number:
        raise ChecklistOpen(number)


def _changes(reason_code: str | None, **facts: bool | None) -> dict[str, object] | None:
    kept: dict[str, object] = {
        name: value for name, value in {"reason_code": reason_code, **facts}.items() if value is not None
    }
    return kept or None
