"""What a user is to a request, who sees it, and who sees the customer's name, address and phone."""

from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, bindparam, exists, false

from backend.core.security.authz import Actor, Role
from backend.domain.favourites import exclusions
from backend.domain.professionals.models import ProfessionalTask
from backend.domain.task_requests.lifecycle import (
    PRICE_ACTIONS,
    VISIT_ACTIONS,
    Action,
    Facts,
    Relation,
    Status,
    allowed_actions,
)
from backend.domain.task_requests.models import RequestRejection
from backend.domain.task_requests.rows import Request

CONTACT_KEPT: Final = timedelta(days=30)
REVIEW_WITHIN: Final = timedelta(days=30)
UNDO_WITHIN: Final = timedelta(minutes=2)
ME: Final = bindparam("me", type_=BigInteger)
# The rule of `relation` for a request that waits, as fragments of SQL on ``task_requests r`` at the time ``:now``.
IS_WAITING: Final = "r.status = 'requested' AND r.date_of_request > :now"
IS_OPEN_TO_ALL: Final = "(r.asked_professional_id IS NULL OR r.asked_until <= :now)"


def has_rejected(professional: str, request: str) -> str:
    """Return the condition, in SQL on two ids, that the professional has declined the request."""
    return (
        "EXISTS (SELECT FROM request_rejections rejection"
        f" WHERE rejection.professional_id = {professional} AND rejection.request_id = {request})"
    )


def is_excluded(professional: str) -> str:
    """Return the condition, in SQL on an id, that the request is hidden by an exclusion, unless they are asked."""
    excluded = exclusions.are_excluded("r.customer_id", professional)
    return f"(r.asked_professional_id IS DISTINCT FROM {professional} AND {excluded})"


def sees_waiting(professional: str) -> str:
    """Return the condition, in SQL on an id, that the professional is candidate or viewer: the rule of `relation`."""
    return (
        f"{IS_WAITING} AND ({IS_OPEN_TO_ALL} OR r.asked_professional_id = {professional})"
        f" AND NOT {has_rejected(professional, 'r.id')} AND NOT {is_excluded(professional)}"
    )


def does_task(role: Role, requests: FromClause) -> ColumnElement[bool]:
    """Return the condition that the professional who reads (``:me``) does the request's task."""
    if role is not Role.PROFESSIONAL:
        return false()
    return exists().where(ProfessionalTask.account_id == ME, ProfessionalTask.task_id == requests.c.task_id)


def rejected(role: Role, requests: FromClause) -> ColumnElement[bool]:
    """Return the condition that the professional who reads (``:me``) has declined the request."""
    if role is not Role.PROFESSIONAL:
        return false()
    return exists().where(RequestRejection.professional_id == ME, RequestRejection.request_id == requests.c.id)


def excluded(role: Role, requests: FromClause) -> ColumnElement[bool]:
    """Return the condition of `is_excluded` for the professional who reads (``:me``)."""
    if role is not Role.PROFESSIONAL:
        return false()
    is_asked = requests.c.asked_professional_id.is_not_distinct_from(ME)
    return and_(~is_asked, exclusions.excluded(requests.c.customer_id, ME))


def relation(actor: Actor, request: Request, *, at: datetime) -> Relation:
    """Return what the actor is to a request that was read for them."""
    if actor.role is Role.ADMIN:
        return Relation.ADMIN
    if actor.role is Role.SYSTEM:
        return Relation.SYSTEM
    if actor.role is Role.CUSTOMER:
        return Relation.CUSTOMER if request.customer_id == actor.id else Relation.NONE
    if request.professional_id == actor.id:
        return Relation.PROFESSIONAL
    if request.rejected or request.excluded or is_asked_of_another(actor, request, at=at):
        return Relation.NONE
    if request.status != Status.REQUESTED or request.date_of_request <= at:
        return Relation.MISSED
    return Relation.CANDIDATE if request.does_task else Relation.VIEWER


def is_asked_of_another(actor: Actor, request: Request, *, at: datetime) -> bool:
    """Return whether it was sent to one other professional whose time to answer has not ended."""
    if request.asked_professional_id in (None, actor.id):
        return False
    return request.asked_until is None or request.asked_until > at


def ended_at(request: Request) -> datetime | None:
    """Return when the request ended, or None while it is open."""
    return request.closed_at or request.cancelled_at or request.expired_at or request.completed_at


def sees_contact(relation: Relation, request: Request, *, at: datetime) -> bool:
    """Return whether the customer's name, address and phone are visible.

    They are to the customer and to admins at any time, to the request's professional until 30 days after its end.
    """
    if relation in (Relation.CUSTOMER, Relation.ADMIN):
        return True
    end = ended_at(request)
    return relation is Relation.PROFESSIONAL and (end is None or at <= end + CONTACT_KEPT)


def is_reviewable(request: Request, *, at: datetime) -> bool:
    """Return whether a review can be given: there is none, and the work ended at most 30 days ago."""
    end = request.closed_at or request.completed_at
    return request.reviewed_at is None and end is not None and at <= end + REVIEW_WITHIN


def last_step(request: Request) -> Action | None:
    """Return the step of the visit that was taken last, or None before the first."""
    if request.started_at is not None:
        return Action.START
    if request.arrived_at is not None:
        return Action.ARRIVE
    return None if request.on_the_way_at is None else Action.ON_THE_WAY


def facts_of(relation: Relation, request: Request, *, at: datetime) -> Facts:
    """Return what the state table needs to know of a request besides its status."""
    is_accepted = request.status == Status.ACCEPTED
    return Facts(
        passed=request.date_of_request <= at,
        reminded=request.reminded_at is not None and at < request.date_of_request,
        reviewable=is_reviewable(request, at=at),
        last_step=last_step(request),
        undoable=request.step_by is not None and _is_undoable(relation, request, at=at),
        must_start=is_accepted and request.start_code_policy == "required" and request.started_at is None,
        undecided=request.undecided_lines > 0,
        by_offer=request.from_price is not None,
    )


def _is_undoable(relation: Relation, request: Request, *, at: datetime) -> bool:
    users = {Relation.CUSTOMER: request.customer_id, Relation.PROFESSIONAL: request.professional_id}
    was_theirs = request.step_by == users.get(relation)
    return was_theirs and request.step_at is not None and at < request.step_at + UNDO_WITHIN


def allowed(relation: Relation, request: Request, *, at: datetime) -> list[str]:
    """Return the actions that the state table allows now, by their public names."""
    return list(_allowed(relation, request.status, facts_of(relation, request, at=at)))


class AllowedActions(NamedTuple):
    """What may be done now. Those of the visit and of the price are apart: clients from before know only the others."""

    plain: tuple[str, ...]
    visit: tuple[str, ...]
    price: tuple[str, ...]


def allowed_apart(relation: Relation, request: Request, *, at: datetime) -> AllowedActions:
    """Return the allowed actions, those of the visit and those of the price."""
    return _allowed_apart(relation, request.status, facts_of(relation, request, at=at))


@cache
def _allowed(relation: Relation, status: str, facts: Facts) -> tuple[str, ...]:
    """Look the few possible cases up only once: lists ask for every row."""
    return tuple(allowed_actions(Status(status), relation, facts))


@cache
def _allowed_apart(relation: Relation, status: str, facts: Facts) -> AllowedActions:
    names = _allowed(relation, status, facts)
    apart = VISIT_ACTIONS | PRICE_ACTIONS
    return AllowedActions(
        tuple(name for name in names if name not in apart),
        tuple(name for name in names if name in VISIT_ACTIONS),
        tuple(name for name in names if name in PRICE_ACTIONS),
    )
