"""Reading requests: one, and lists by keyset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, ColumnElement, FromClause, Text, any_, bindparam, select
from sqlalchemy.orm import aliased

from backend.core.clock import now
from backend.core.db import pagination, read_pool
from backend.core.db.date_range import DateRange
from backend.core.db.pagination import AnySelect, Page, SortKey, Window
from backend.core.db.session import TIMESTAMP
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.access import ME, does_task, rejected, relation
from backend.domain.task_requests.errors import RequestNotFound
from backend.domain.task_requests.lifecycle import VISIBLE_TO, Relation
from backend.domain.task_requests.models import TaskRequest

KEYS: Final[tuple[SortKey, ...]] = ((TaskRequest.date_of_request.expression, True), (TaskRequest.id.expression, True))
EVER: Final = DateRange()
Customer, Taker = aliased(Account), aliased(Account)
COLUMNS: Final = [column for column in TaskRequest.__table__.columns if column.name != "busy"]
# One state is told apart from several: with one, an index has the page in its order.
CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "status": TaskRequest.status == bindparam("status"),
    "statuses": TaskRequest.status == any_(bindparam("statuses", type_=ARRAY(Text))),
    "task_id": TaskRequest.task_id == bindparam("task_id", type_=BigInteger),
    "professional_id": TaskRequest.professional_id == bindparam("professional_id", type_=BigInteger),
    "customer_id": TaskRequest.customer_id == bindparam("customer_id", type_=BigInteger),
    "starts": TaskRequest.date_of_request >= bindparam("starts", type_=TIMESTAMP),
    "ends": TaskRequest.date_of_request < bindparam("ends", type_=TIMESTAMP),
}
OWN: Final[dict[Role, ColumnElement[bool]]] = {
    Role.CUSTOMER: TaskRequest.customer_id == ME,
    Role.PROFESSIONAL: TaskRequest.professional_id == ME,
}


@dataclass(frozen=True, slots=True)
class RequestFilters:
    """What a list of requests may be narrowed by."""

    status: Sequence[str] = ()
    task_id: int | None = None
    span: DateRange = EVER
    professional_id: int | None = None
    customer_id: int | None = None

    def given(self) -> dict[str, Any]:
        """Names of the conditions that hold, with their values."""
        states = list(dict.fromkeys(self.status))
        values = {
            "status": states[0] if len(states) == 1 else None,
            "statuses": states if len(states) > 1 else None,
            "task_id": self.task_id,
            "professional_id": self.professional_id,
            "customer_id": self.customer_id,
            "starts": self.span.starts,
            "ends": self.span.ends,
        }
        return {name: value for name, value in values.items() if value is not None}


def with_names(requests: FromClause, *, role: Role) -> AnySelect:
    """Requests with the names of both sides, as someone of this role (``:me``) relates to them."""
    return (
        select(
            *requests.c,
            Customer.firstname.label("customer_firstname"),
            Customer.lastname.label("customer_lastname"),
            Customer.phone.label("customer_phone"),
            Taker.firstname.label("professional_firstname"),
            Taker.phone.label("professional_phone"),
            Professional.compname.label("professional_compname"),
            does_task(role, requests).label("does_task"),
            rejected(role, requests).label("rejected"),
        )
        .join(Customer, Customer.id == requests.c.customer_id)
        .outerjoin(Taker, Taker.id == requests.c.professional_id)
        .outerjoin(Professional, Professional.account_id == requests.c.professional_id)
    )


def one(actor: Actor, *, request_id: int) -> tuple[Any, Relation]:
    """A request that the actor may see, and what they are to it. Raises RequestNotFound."""
    row, who = after_change(actor, request_id=request_id)
    if who not in VISIBLE_TO:
        raise RequestNotFound
    return row, who


def after_change(actor: Actor, *, request_id: int) -> tuple[Any, Relation]:
    """A request that the actor has just changed: shown once more even if it is out of their sight now."""
    row = read_pool.one(_one(actor.role), {"me": actor.id, "id": request_id})
    if row is None:
        raise RequestNotFound
    return row, relation(actor, row, at=now())


@cache
def _one(role: Role) -> AnySelect:
    wanted = select(*COLUMNS).where(TaskRequest.id == bindparam("id", type_=BigInteger))
    return with_names(wanted.subquery(), role=role)


def page(actor: Actor, *, filters: RequestFilters, window: Window) -> Page[Any]:
    """The actor's own requests (a customer's, those a professional took) or all (an admin's), the latest date first."""
    scope, given = f"requests:{actor.role}", filters.given()
    statement = _page(actor.role, frozenset(given), goes_on=window.cursor is not None)
    found = read_pool.rows(statement, given | {"me": actor.id} | pagination.position(window, scope, length=len(KEYS)))
    return pagination.cut(found, window=window, scope=scope, values=lambda row: (row.date_of_request, row.id))


@cache
def _page(role: Role, narrowed_by: frozenset[str], *, goes_on: bool) -> AnySelect:
    """The page is cut before names are looked up: the planner prepares for as many look-ups as it expects rows."""
    own = [OWN[role]] if role in OWN else []
    wanted = select(*COLUMNS).where(*own, *(CONDITIONS[name] for name in sorted(narrowed_by)))
    cut = pagination.paged(wanted, KEYS, goes_on=goes_on).subquery()
    return with_names(cut, role=role).order_by(cut.c.date_of_request.desc(), cut.c.id.desc())
