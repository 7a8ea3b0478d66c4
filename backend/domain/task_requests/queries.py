"""Reading requests: one, and lists by keyset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import aliased

from backend.core import pagination
from backend.core.authz import Actor, Role
from backend.core.clock import now
from backend.core.database import db
from backend.core.pagination import Page, SortKey, Window
from backend.core.spans import Span
from backend.domain.accounts.models import Account
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.errors import RequestNotFound
from backend.domain.task_requests.lifecycle import VISIBLE_TO, Relation
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.visibility import does_task, rejected, relation

KEYS: Final[tuple[SortKey, ...]] = ((TaskRequest.date_of_request.expression, True), (TaskRequest.id.expression, True))
EVER: Final = Span()
Customer, Taker = aliased(Account), aliased(Account)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of requests may be narrowed by."""

    status: Sequence[str] = ()
    task_id: int | None = None
    span: Span = EVER
    professional_id: int | None = None
    customer_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(TaskRequest.status.in_(self.status))
        if self.task_id is not None:
            found.append(TaskRequest.task_id == self.task_id)
        if self.span.starts is not None:
            found.append(TaskRequest.date_of_request >= self.span.starts)
        if self.span.ends is not None:
            found.append(TaskRequest.date_of_request < self.span.ends)
        if self.professional_id is not None:
            found.append(TaskRequest.professional_id == self.professional_id)
        if self.customer_id is not None:
            found.append(TaskRequest.customer_id == self.customer_id)
        return found


def rows(actor: Actor) -> Select[Any]:
    """Requests with the names of both sides, as this actor relates to them."""
    return (
        select(
            *TaskRequest.__table__.columns,
            Customer.firstname.label("customer_firstname"),
            Customer.lastname.label("customer_lastname"),
            Customer.phone.label("customer_phone"),
            Taker.firstname.label("professional_firstname"),
            Taker.phone.label("professional_phone"),
            Professional.compname.label("professional_compname"),
            does_task(actor).label("does_task"),
            rejected(actor).label("rejected"),
        )
        .join(Customer, Customer.id == TaskRequest.customer_id)
        .outerjoin(Taker, Taker.id == TaskRequest.professional_id)
        .outerjoin(Professional, Professional.account_id == TaskRequest.professional_id)
    )


def one(actor: Actor, *, request_id: int) -> tuple[Row[Any], Relation]:
    """A request that the actor may see, and what they are to it. Raises RequestNotFound."""
    row, who = after_change(actor, request_id=request_id)
    if who not in VISIBLE_TO:
        raise RequestNotFound
    return row, who


def after_change(actor: Actor, *, request_id: int) -> tuple[Row[Any], Relation]:
    """A request that the actor has just changed: shown once more even if it is out of their sight now."""
    row = db.session.execute(rows(actor).where(TaskRequest.id == request_id)).one_or_none()
    if row is None:
        raise RequestNotFound
    return row, relation(actor, row, at=now())


def page(actor: Actor, *, filters: Filters, window: Window) -> Page[Row[Any]]:
    """The actor's own requests (a customer's, those a professional took) or all (an admin's), the latest date first."""
    scope = f"requests:{actor.role}"
    statement = rows(actor).where(*_own(actor), *filters.conditions())
    if window.cursor is not None:
        statement = statement.where(
            pagination.after(KEYS, pagination.decode_cursor(scope, window.cursor, length=len(KEYS)))
        )
    found = db.session.execute(statement.order_by(*pagination.order(KEYS)).limit(window.limit + 1)).all()
    return pagination.cut(found, window=window, scope=scope, values=lambda row: (row.date_of_request, row.id))


def _own(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.role is Role.CUSTOMER:
        return [TaskRequest.customer_id == actor.id]
    if actor.role is Role.PROFESSIONAL:
        return [TaskRequest.professional_id == actor.id]
    return []
