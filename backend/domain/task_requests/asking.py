"""Whom a customer can ask for by id, and what an ended request is asked again with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, literal, or_, select, text

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.security.authz import Actor
from backend.domain.accounts.models import Account
from backend.domain.favourites import exclusions
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional, ProfessionalTask
from backend.domain.task_requests import queries
from backend.domain.task_requests.errors import InvalidTransition
from backend.domain.task_requests.lifecycle import Status

ENDED: Final = (Status.COMPLETED, Status.CLOSED, Status.CANCELLED, Status.EXPIRED)
TASK: Final = text("SELECT FROM tasks WHERE id = :task_id AND isactive AND archived_at IS NULL")
PROFESSIONAL: Final = text("""
    SELECT a.id, a.firstname, p.compname
      FROM accounts a JOIN professionals p ON p.account_id = a.id WHERE a.id = :professional_id
""")


def lock_professional(actor: Actor, professional_id: int, *, task_id: int, at: datetime) -> None:
    """Lock the account of the professional asked: a block at the same time finds this request too, or is seen here.

    Raises:
        Invalid: The customer cannot ask for the professional, for whatever reason.
    """
    statement = _askable(actor, professional_id, task_id=task_id, at=at)
    locked = statement.with_for_update(of=[Account, Professional], read=True)
    if db.session.execute(locked).one_or_none() is None:
        message = "No active professional with this id offers this task."
        raise Invalid.field("professional_id", message, code="professional_not_available")


def _askable(actor: Actor, professional_id: int, *, task_id: int, at: datetime) -> Select[int]:
    """Return the statement that finds the professional if the customer can ask for them."""
    return (
        select(Professional.account_id)
        .join(Account, Account.id == Professional.account_id)
        .join(ProfessionalTask, ProfessionalTask.account_id == Professional.account_id)
        .where(
            Professional.account_id == professional_id,
            Professional.approval == Approval.APPROVED,
            or_(Professional.approval_expires_at.is_(None), Professional.approval_expires_at > at),
            Account.blocked_at.is_(None),
            ProfessionalTask.task_id == task_id,
            ~exclusions.excluded(literal(actor.account_id), Professional.account_id),
        )
    )


@dataclass(frozen=True, slots=True)
class AskedProfessional:
    """The professional of the ended request, and whether the customer can ask for them."""

    id: int
    firstname: str
    compname: str
    available: bool


@dataclass(frozen=True, slots=True)
class Again:
    """What a new request like an ended one starts with."""

    task_id: int
    task_name: str
    available: bool
    address: str
    pincode: str
    remarks: str
    professional: AskedProfessional | None


def again(actor: Actor, *, request_id: int) -> Again:
    """Return what a new request like this one starts with.

    Raises:
        RequestNotFound: It is not the customer's.
        InvalidTransition: It has not ended.
    """
    request = queries.one(actor, request_id=request_id)[0].request
    if request.status not in ENDED:
        raise InvalidTransition("Only a request that has ended can be sent again.")
    return Again(
        task_id=request.task_id,
        task_name=request.task_name,
        available=bool(read_pool.rows(TASK, {"task_id": request.task_id})),
        address=request.address,
        pincode=request.pincode,
        remarks=request.remarks,
        professional=_professional(
            actor, request.professional_id or request.asked_professional_id, task_id=request.task_id
        ),
    )


def _professional(actor: Actor, professional_id: int | None, *, task_id: int) -> AskedProfessional | None:
    if professional_id is None:
        return None
    row = read_pool.one(PROFESSIONAL, {"professional_id": professional_id})
    askable = _askable(actor, professional_id, task_id=task_id, at=now())
    available = db.session.execute(askable).one_or_none() is not None
    return AskedProfessional(row[0], row[1], row[2], available=available)
