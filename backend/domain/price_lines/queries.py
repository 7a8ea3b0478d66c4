"""Reads of price lines."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import BigInteger, bindparam, select

from backend.core.db import read_pool
from backend.core.db.pagination import AnySelect
from backend.core.security.authz import Actor, Role
from backend.domain.market import settings as market
from backend.domain.price_lines.errors import LineNotFound
from backend.domain.price_lines.rows import COLUMNS, TABLE, Line
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.lifecycle import Relation
from backend.domain.task_requests.rows import Request

MOST: Final = 500  # a request has a few; this only bounds the response


@dataclass(frozen=True, slots=True)
class LinesOfRequest:
    """The lines of a request that the actor may see, oldest first, and what a new one has to keep to."""

    request: Request
    relation: Relation
    lines: list[Line]
    reasons: tuple[str, ...]
    cap_percent: int


def of_request(actor: Actor, *, request_id: int) -> LinesOfRequest:
    """Return the lines of a request. Professionals see those that they proposed themselves.

    Raises:
        RequestNotFound: There is no such request, or the actor may not see it.
    """
    found, relation = requests.one(actor, request_id=request_id)
    rows = read_pool.rows(_of_request(actor.role), {"request_id": request_id, "me": actor.id})
    settings = market.get()
    lines = [Line._make(row) for row in rows]
    return LinesOfRequest(found.request, relation, lines, settings.allowed_reasons, settings.extra_work_cap_percent)


def one(request_id: int, line_id: int) -> Line:
    """Return a line of this request as it is now, for an action that also loads the request. Raises LineNotFound."""
    row = read_pool.one_or_none(_one(), {"request_id": request_id, "line_id": line_id})
    if row is None:
        raise LineNotFound
    return Line._make(row)


@cache
def _of_request(role: Role) -> AnySelect:
    statement = select(*COLUMNS).where(TABLE.c.request_id == bindparam("request_id", type_=BigInteger))
    if role is Role.PROFESSIONAL:
        statement = statement.where(TABLE.c.professional_id == bindparam("me", type_=BigInteger))
    return statement.order_by(TABLE.c.id).limit(MOST)


@cache
def _one() -> AnySelect:
    return select(*COLUMNS).where(
        TABLE.c.request_id == bindparam("request_id", type_=BigInteger),
        TABLE.c.id == bindparam("line_id", type_=BigInteger),
    )
