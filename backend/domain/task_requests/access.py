"""Who is what to a request, who sees it, and who sees the customer's name, address and phone."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, bindparam, exists, false

from backend.core.security.authz import Actor, Role
from backend.domain.professionals.models import ProfessionalTask
from backend.domain.task_requests.lifecycle import Facts, Relation, Status, allowed_actions
from backend.domain.task_requests.models import RequestRejection

CONTACT_KEPT: Final = timedelta(days=30)
REVIEW_WITHIN: Final = timedelta(days=30)


ME: Final = bindparam("me", type_=BigInteger)


def does_task(role: Role, requests: FromClause) -> ColumnElement[bool]:
    """Whether the professional who looks (``:me``) does the request's task."""
    if role is not Role.PROFESSIONAL:
        return false()
    return exists().where(ProfessionalTask.account_id == ME, ProfessionalTask.task_id == requests.c.task_id)


def rejected(role: Role, requests: FromClause) -> ColumnElement[bool]:
    """Whether the professional who looks (``:me``) has turned the request down."""
    if role is not Role.PROFESSIONAL:
        return false()
    return exists().where(RequestRejection.professional_id == ME, RequestRejection.request_id == requests.c.id)


def relation(actor: Actor, row: Any, *, at: datetime) -> Relation:
    """What the actor is to a request (a row with ``does_task`` and ``rejected`` beside the table's columns)."""
    if actor.role is Role.ADMIN:
        return Relation.ADMIN
    if actor.role is Role.SYSTEM:
        return Relation.SYSTEM
    if actor.role is Role.CUSTOMER:
        return Relation.CUSTOMER if row.customer_id == actor.id else Relation.NONE
    if row.professional_id == actor.id:
        return Relation.PROFESSIONAL
    if row.rejected or is_asked_of_another(actor, row, at=at):
        return Relation.NONE
    if row.status != Status.REQUESTED or row.date_of_request <= at:
        return Relation.MISSED
    return Relation.CANDIDATE if row.does_task else Relation.VIEWER


def is_asked_of_another(actor: Actor, row: Any, *, at: datetime) -> bool:
    """Whether it was or is asked of one other professional whose time to answer has not run out."""
    if row.asked_professional_id in (None, actor.id):
        return False
    return row.asked_until is None or row.asked_until > at


def ended_at(row: Any) -> datetime | None:
    """When the request came to its end; None while it lives."""
    end: datetime | None = row.closed_at or row.cancelled_at or row.expired_at or row.completed_at
    return end


def sees_contact(relation: Relation, row: Any, *, at: datetime) -> bool:
    """Name, address and phone: its customer and admins always, its professional until 30 days after the end."""
    if relation in (Relation.CUSTOMER, Relation.ADMIN):
        return True
    end = ended_at(row)
    return relation is Relation.PROFESSIONAL and (end is None or at <= end + CONTACT_KEPT)


def is_reviewable(row: Any, *, at: datetime) -> bool:
    """Whether a review may (still) be given."""
    end = row.closed_at or row.completed_at
    return row.reviewed_at is None and end is not None and at <= end + REVIEW_WITHIN


def allowed(relation: Relation, row: Any, *, at: datetime) -> list[str]:
    """What may be done now, as the state table says."""
    return list(_allowed(relation, row.status, passed=row.date_of_request <= at, reviewable=is_reviewable(row, at=at)))


@cache
def _allowed(relation: Relation, status: str, *, passed: bool, reviewable: bool) -> tuple[str, ...]:
    """The table's answer, looked up once for each of the few cases that there are: lists ask for every row."""
    return tuple(allowed_actions(Status(status), relation, Facts(passed=passed, reviewable=reviewable)))
