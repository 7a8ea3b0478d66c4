"""Finding people: by what an admin remembers of them, typos forgiven."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal, literal_column, or_, select

from backend.core.authz import Role
from backend.core.database import db
from backend.core.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.domain.accounts.models import PERSON_TEXT, Account

CLOSE_ENOUGH: Final = 0.4  # pg_trgm's word similarity at which "sharna" still finds Sharma
MIN_DIGITS: Final = 4
person_text: Final[ColumnElement[str]] = literal_column(PERSON_TEXT)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of people may be narrowed by; None: all."""

    q: str | None = None
    blocked: bool | None = None
    pincode: str | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order of a list, its name, and the value of each key in a row (the last one unique)."""

    name: str
    keys: tuple[SortKey, ...]


def customers(*, filters: Filters, window: Window) -> Page[Account]:
    """Customers, the newest first; with words, the likeliest first."""
    statement = select(Account).where(Account.role == Role.CUSTOMER.value, *common_conditions(filters))
    matched = None
    if filters.q:
        loosen()
        statement = statement.where(matches(filters.q, person_text))
        matched = likeness(filters.q, [person_text])
    if filters.pincode is not None:
        statement = statement.where(Account.pincode == filters.pincode)
    page = page_of(statement, sorting=sorting_of(filters, matched), window=window, scope="customers")
    return Page([row[0] for row in page.items], page.next_cursor)


def sorting_of(
    filters: Filters, matched: ColumnElement[int] | None, more: Mapping[str, Sorting] | None = None
) -> Sorting:
    """The order asked for; without a wish the likeliest first where words were given, else the newest."""
    newest: tuple[SortKey, ...] = ((Account.created_at, True), (Account.id, True))
    wish = filters.sort or ("relevance" if matched is not None else "created")
    if more and wish in more:
        return more[wish]
    if wish == "name":
        by_name = func.lower(Account.firstname + " " + Account.lastname)
        return Sorting("name", ((by_name, False), (Account.id, False)))
    if wish == "relevance" and matched is not None:
        return Sorting("relevance", ((matched, True), *newest))
    return Sorting("created", newest)


def common_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """What narrows lists of all kinds of people alike."""
    if filters.blocked is None:
        return []
    return [Account.blocked_at.is_not(None) if filters.blocked else Account.blocked_at.is_(None)]


def page_of(statement: Select[Any], *, sorting: Sorting, window: Window, scope: str) -> Page[Any]:
    """One keyset page of a statement; the sort values ride along as further columns."""
    width = len(sorting.keys)
    scope = f"{scope}:{sorting.name}"
    if window.cursor:
        statement = statement.where(after(sorting.keys, decode_cursor(scope, window.cursor, length=width)))
    statement = statement.add_columns(*(column for column, _ in sorting.keys))
    rows: Sequence[Any] = db.session.execute(statement.order_by(*order(sorting.keys)).limit(window.limit + 1)).all()
    return cut(rows, window=window, scope=scope, values=lambda row: row[-width:])


def loosen() -> None:
    """Let words match that are merely alike, until this transaction ends."""
    db.session.execute(select(func.set_config("pg_trgm.word_similarity_threshold", str(CLOSE_ENOUGH), True)))


def matches(q: str, indexed: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the indexed text holds the words, or words much like them, or the digits of a phone number."""
    words = func.folded(literal(q))
    found = [indexed.like(func.concat("%", func.folded(literal(_escaped(q))), "%")), words.op("<%")(indexed)]
    digits = re.sub(r"\D", "", q)
    if len(digits) >= MIN_DIGITS and not re.search(r"[^\W\d_]", q):
        found.append(indexed.like(f"%{digits}%"))
    return or_(*found)


def likeness(q: str, texts: Sequence[ColumnElement[str]]) -> ColumnElement[int]:
    """How well the best of the texts fits, as a whole number that a cursor can hold exactly."""
    scores = [func.word_similarity(func.folded(literal(q)), one) for one in texts]
    best = func.greatest(*scores) if len(scores) > 1 else scores[0]
    return cast(best * 1000, Integer)


def _escaped(q: str) -> str:
    return q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
