"""Pairs of users who are not matched again, because one of them does not want it: the rule, and who sets it.

The rule hides requests that are open to all, and the professional from the customer's choice. It leaves alone what
the two already have with each other: an accepted request, and one that the professional is asked for.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, ColumnExpressionArgument, delete, exists, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.pagination import Page, Window, cut, decode_cursor
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor, Role
from backend.domain.audit.actions import record
from backend.domain.favourites.models import Exclusion, Favourite
from backend.domain.live_updates.changes import announce_exclusion

MOST: Final = 200
SCOPE: Final = "exclusions"
# Requests and their history are in a layer above this one. Two have met where the professional accepted a request of
# the customer's, or was asked for it by the customer.
MET: Final = text("""
    SELECT r.id FROM task_requests r
     WHERE r.customer_id = :customer_id
       AND (r.professional_id = :professional_id OR r.asked_professional_id = :professional_id
            OR EXISTS (SELECT FROM request_events e
                        WHERE e.request_id = r.id AND e.actor_id = :professional_id
                          AND (e.action = 'accept' OR (e.action = 'reject' AND e.changes @> '{"asked": true}'))))
     ORDER BY r.date_of_request DESC, r.id DESC LIMIT 1
""")
COUNT: Final = {
    Role.CUSTOMER: text("SELECT count(*) FROM exclusions WHERE set_by = 'customer' AND customer_id = :me"),
    Role.PROFESSIONAL: text("SELECT count(*) FROM exclusions WHERE set_by = 'professional' AND professional_id = :me"),
}
OWN: Final = """
    SELECT e.{other} AS id, {names}, r.id, r.task_name, r.date_of_request, e.created_at
      FROM exclusions e
      JOIN task_requests r ON r.id = e.request_id {joined}
     WHERE e.set_by = '{role}' AND e.{own} = :me
       AND (CAST(:created_at AS timestamptz) IS NULL
            OR (e.created_at, e.{other}) < (CAST(:created_at AS timestamptz), :id))
     ORDER BY e.created_at DESC, e.{other} DESC LIMIT :limit
"""
WITH_NAMES: Final = """
      JOIN accounts a ON a.id = e.professional_id
      JOIN professionals p ON p.account_id = e.professional_id
"""
# Customers see whom they chose. Professionals see the request: the customer's name is theirs for a limited time.
PAGES: Final = {
    Role.CUSTOMER: text(
        OWN.format(
            role="customer",
            own="customer_id",
            other="professional_id",
            names="a.firstname, p.compname",
            joined=WITH_NAMES,
        )
    ),
    Role.PROFESSIONAL: text(
        OWN.format(role="professional", own="professional_id", other="customer_id", names="NULL, NULL", joined="")
    ),
}


class OwnExclusion(NamedTuple):
    """Whom the reader does not want to be matched with, and the request where they met."""

    id: int
    firstname: str | None
    compname: str | None
    request_id: int
    task_name: str
    date_of_request: datetime
    created_at: datetime


def are_excluded(customer: str, professional: str) -> str:
    """Return the condition, in SQL on two ids, that the two are not matched again, by the choice of either."""
    return (
        "EXISTS (SELECT FROM exclusions exclusion"
        f" WHERE exclusion.professional_id = {professional} AND exclusion.customer_id = {customer})"
    )


def excluded(
    customer: ColumnExpressionArgument[int], professional: ColumnExpressionArgument[int]
) -> ColumnElement[bool]:
    """Return the condition of `are_excluded` on two columns or parameters."""
    return exists().where(Exclusion.professional_id == professional, Exclusion.customer_id == customer)


def add(actor: Actor, *, other_id: int) -> None:
    """Never match the actor and the other user again; a repeated call changes nothing.

    The caller holds the actor's account, so that the limit is not passed by calls at the same time. A favourite is one
    no more.

    Raises:
        NotFound: The two have not met in a request.
        Conflict: The actor has reached the limit.
    """
    pair = _pair(actor, other_id)
    request_id = db.session.execute(MET, pair).scalar_one_or_none()
    if request_id is None:
        raise NotFound("No request of yours with this user was found.")
    values = {**pair, "set_by": actor.role.value, "request_id": request_id, "created_at": now()}
    added = insert(Exclusion).values(values).on_conflict_do_nothing().returning(Exclusion.request_id)
    if db.session.execute(added).first() is None:
        return
    if db.session.execute(COUNT[actor.role], {"me": actor.id}).scalar_one() > MOST:
        raise Conflict(f"You have reached the limit of {MOST} users. Remove one first.", code="too_many_exclusions")
    if actor.role is Role.CUSTOMER:
        _drop(Favourite, pair)
    record(actor, "exclusion_added", subject_id=other_id, after={"request_id": request_id})
    announce_exclusion(actor.account_id, other_id=other_id)


def remove(actor: Actor, *, other_id: int) -> None:
    """Undo what the actor set; what the other user set stays. A repeated call changes nothing."""
    if _drop(Exclusion, {**_pair(actor, other_id), "set_by": actor.role.value}):
        record(actor, "exclusion_removed", subject_id=other_id)
        announce_exclusion(actor.account_id, other_id=other_id)


def page(actor: Actor, *, window: Window) -> Page[OwnExclusion]:
    """Return what the actor set, newest first."""
    created_at, last_id = decode_cursor(SCOPE, window.cursor, length=2) if window.cursor else (None, None)
    values = {"me": actor.id, "created_at": created_at, "id": last_id, "limit": window.limit + 1}
    rows = [OwnExclusion._make(row) for row in read_pool.rows(PAGES[actor.role], values)]
    return cut(rows, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id))


def is_own(*, customer_id: int, professional_id: int) -> bool:
    """Return whether the customer excluded the professional."""
    there = exists().where(
        Exclusion.customer_id == customer_id,
        Exclusion.professional_id == professional_id,
        Exclusion.set_by == Role.CUSTOMER.value,
    )
    return bool(db.session.execute(there.select()).scalar_one())


def _pair(actor: Actor, other_id: int) -> dict[str, object]:
    if actor.role is Role.CUSTOMER:
        return {"customer_id": actor.account_id, "professional_id": other_id}
    return {"customer_id": other_id, "professional_id": actor.account_id}


def _drop(model: type[Exclusion] | type[Favourite], values: dict[str, object]) -> bool:
    statement = delete(model).filter_by(**values).returning(model.customer_id)
    return db.session.execute(statement.execution_options(synchronize_session=False)).first() is not None
