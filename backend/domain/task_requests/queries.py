"""Reads of requests: one by id, and pages of lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    any_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.orm import aliased

from backend.core.clock import now
from backend.core.db import pagination, read_pool
from backend.core.db.date_range import DateRange
from backend.core.db.pagination import AnySelect, Page, SortKey, Window
from backend.core.db.session import TIMESTAMP
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.market.models import MarketSetting
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.access import ME, does_task, excluded, rejected, relation
from backend.domain.task_requests.errors import RequestNotFound
from backend.domain.task_requests.lifecycle import VISIBLE_TO, Relation
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.rows import COLUMN_NAMES, COLUMNS, RequestWithContacts, with_contacts

KEYS: Final[tuple[SortKey, ...]] = ((TaskRequest.date_of_request.expression, True), (TaskRequest.id.expression, True))
EVER: Final = DateRange()
Customer, ProfessionalAccount = aliased(Account), aliased(Account)
# One status has a condition of its own: an index then has the page in its order.
CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "status": TaskRequest.status == bindparam("status"),
    "statuses": TaskRequest.status == any_(bindparam("statuses", type_=ARRAY(Text))),
    "task_id": TaskRequest.task_id == bindparam("task_id", type_=BigInteger),
    "professional_id": TaskRequest.professional_id == bindparam("professional_id", type_=BigInteger),
    "customer_id": TaskRequest.customer_id == bindparam("customer_id", type_=BigInteger),
    "starts": TaskRequest.date_of_request >= bindparam("starts", type_=TIMESTAMP),
    "ends": TaskRequest.date_of_request < bindparam("ends", type_=TIMESTAMP),
}
# Conversations are in a layer above this one, so the counts of unread messages are read directly from the table.
CONVERSATIONS: Final = table(
    "conversations",
    column("request_id"),
    column("professional_id"),
    column("customer_unread"),
    column("professional_unread"),
)
CONTACT_IS_MASKED: Final = exists().where(
    MarketSetting.name == "contact", MarketSetting.value == literal_column("CAST('\"masked\"' AS jsonb)")
)
OWN: Final[dict[Role, ColumnElement[bool]]] = {
    Role.CUSTOMER: TaskRequest.customer_id == ME,
    Role.PROFESSIONAL: TaskRequest.professional_id == ME,
}


@dataclass(frozen=True, slots=True)
class RequestFilters:
    """Filters of a list of requests."""

    status: Sequence[str] = ()
    task_id: int | None = None
    dates: DateRange = EVER
    professional_id: int | None = None
    customer_id: int | None = None

    def given(self) -> dict[str, object]:
        """Return the names of the conditions that apply, with their values."""
        statuses = list(dict.fromkeys(self.status))
        values = {
            "status": statuses[0] if len(statuses) == 1 else None,
            "statuses": statuses if len(statuses) > 1 else None,
            "task_id": self.task_id,
            "professional_id": self.professional_id,
            "customer_id": self.customer_id,
            "starts": self.dates.starts,
            "ends": self.dates.ends,
        }
        return {name: value for name, value in values.items() if value is not None}


def select_with_contacts(requests: FromClause, *, role: Role) -> AnySelect:
    """Return the statement that adds the contacts of both sides, read by a user of this role (``:me``).

    ``requests`` has the columns of `rows.COLUMNS`; `rows.with_contacts` makes typed rows of the result.
    """
    masked = CONTACT_IS_MASKED if role in OWN else false()
    return (
        select(
            *(requests.c[name] for name in COLUMN_NAMES),
            does_task(role, requests).label("does_task"),
            rejected(role, requests).label("rejected"),
            excluded(role, requests).label("excluded"),
            Customer.firstname.label("customer_firstname"),
            Customer.lastname.label("customer_lastname"),
            case((~masked, Customer.phone)).label("customer_phone"),
            ProfessionalAccount.firstname.label("professional_firstname"),
            case((~masked, ProfessionalAccount.phone)).label("professional_phone"),
            Professional.compname.label("professional_compname"),
            _unread_messages(role, requests).label("unread_messages"),
        )
        .join(Customer, Customer.id == requests.c.customer_id)
        .outerjoin(ProfessionalAccount, ProfessionalAccount.id == requests.c.professional_id)
        .outerjoin(Professional, Professional.account_id == requests.c.professional_id)
    )


def _unread_messages(role: Role, requests: FromClause) -> ColumnElement[int]:
    """Return how many messages about the request its reader (``:me``) has not read."""
    if role not in OWN:
        return literal(0, BigInteger)
    of_request = CONVERSATIONS.c.request_id == requests.c.id
    if role is Role.CUSTOMER:  # of the requests that a customer reads, all conversations are theirs
        own = select(func.coalesce(func.sum(CONVERSATIONS.c.customer_unread), 0)).where(of_request)
    else:
        mine = CONVERSATIONS.c.professional_id == ME
        own = select(func.coalesce(func.sum(CONVERSATIONS.c.professional_unread), 0)).where(of_request, mine)
    return own.correlate(requests).scalar_subquery().cast(BigInteger)


def one(actor: Actor, *, request_id: int) -> tuple[RequestWithContacts, Relation]:
    """Return a request that the actor may see, and what they are to it.

    Raises:
        RequestNotFound: There is no such request, or the actor may not see it.
    """
    row = read_pool.one_or_none(_one(actor.role), {"me": actor.id, "id": request_id})
    if row is None:
        raise RequestNotFound
    found = with_contacts(row)
    who = relation(actor, found.request, at=now())
    if who not in VISIBLE_TO:
        raise RequestNotFound
    return found, who


@cache
def _one(role: Role) -> AnySelect:
    wanted = select(*COLUMNS).where(TaskRequest.id == bindparam("id", type_=BigInteger))
    return select_with_contacts(wanted.subquery(), role=role)


def page(actor: Actor, *, filters: RequestFilters, window: Window) -> Page[RequestWithContacts]:
    """Return the actor's own requests, or all of them for an admin, the latest date first."""
    scope, given = f"requests:{actor.role}", filters.given()
    statement = _page(actor.role, frozenset(given), goes_on=window.cursor is not None)
    values = given | {"me": actor.id} | pagination.position(window, scope, length=len(KEYS))
    rows = read_pool.rows(statement, values, behind=True)
    found = [with_contacts(row) for row in rows]
    return pagination.cut(found, window=window, scope=scope, values=_position)


def _position(row: RequestWithContacts) -> tuple[datetime, int]:
    return row.request.date_of_request, row.request.id


@cache
def _page(role: Role, narrowed_by: frozenset[str], *, goes_on: bool) -> AnySelect:
    """Cut the page before names are looked up: the planner prepares for as many look-ups as it expects rows."""
    own = [OWN[role]] if role in OWN else []
    wanted = select(*COLUMNS).where(*own, *(CONDITIONS[name] for name in sorted(narrowed_by)))
    cut = pagination.paged(wanted, KEYS, goes_on=goes_on).subquery()
    return select_with_contacts(cut, role=role).order_by(cut.c.date_of_request.desc(), cut.c.id.desc())
