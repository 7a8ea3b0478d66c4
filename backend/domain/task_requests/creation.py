"""Asking for a task."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select

from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import Forbidden, Invalid
from backend.domain.accounts.models import Account
from backend.domain.market import settings
from backend.domain.places import queries as places
from backend.domain.professionals.models import Professional, ProfessionalTask
from backend.domain.task_requests import history, limits, matching, policies, telling
from backend.domain.task_requests.errors import TaskNotAvailable
from backend.domain.task_requests.lifecycle import Action, Status
from backend.domain.task_requests.models import TaskRequest
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
    limits.check(actor.account_id, signed_up=customer.created_at, at=at)
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
    telling.asked(row, _who_hears(row))
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
        raise Invalid.field("task_id", "There is no such task.", code="unknown_task")
    if not task.isactive or task.archived_at is not None:
        raise TaskNotAvailable("This task is not offered at present.")
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
        message = "There is no active professional with this id who does this task."
        raise Invalid.field("professional_id", message, code="professional_not_available")


def _who_hears(row: Any) -> list[int]:
    if row.asked_professional_id is not None:
        return [row.asked_professional_id]
    limit = settings.get().tell_nearest
    return matching.nearest(task_id=row.task_id, pincode=row.pincode, limit=limit) if limit else []
