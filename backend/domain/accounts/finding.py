"""Finding people: by what an admin remembers of them, typos forgiven."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute

from backend.core.authz import Role
from backend.core.database import db
from backend.core.errors import Invalid
from backend.core.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.domain.accounts.models import Account

CLOSE_ENOUGH: Final = 0.4  # pg_trgm's word similarity at which "sharna" still finds Sharma
MIN_DIGITS: Final = 4
EXACT: Final = "exact"
ALIKE: Final = "alike"
Column = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of people may be narrowed by; None: all."""

    q: str | None = None
    blocked: bool | None = None
    pincode: str | None = None
    sort: str | None = None

    def common(self) -> list[ColumnElement[bool]]:
        """As SQL, what narrows lists of all kinds of people alike."""
        if self.blocked is None:
            return []
        return [Account.blocked_at.is_not(None) if self.blocked else Account.blocked_at.is_(None)]


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order of a list, its name, and the value of each key in a row (the last one unique)."""

    name: str
    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Words to look for: those who hold them; only where nobody does, those who hold words much like them.

    ``texts`` maps each column of ids to the folded text that is searched there. The way that the first page went is
    part of the cursor, so that later pages go the same.
    """

    q: str
    texts: Mapping[Column, Column]
    way: str

    @classmethod
    def of(cls, q: str, texts: Mapping[Column, Column], *, role: Role, window: Window, scope: str) -> "Words":
        """Decide which way to look, in one query."""
        exact = cls(q, texts, EXACT)
        if window.cursor:
            return exact if _is_of(window.cursor, f"{scope}:{EXACT}") else cls(q, texts, ALIKE).loosened()
        held = select(Account.id).where(Account.role == role.value, Account.id.in_(exact.ids())).exists()
        found = db.session.execute(select(_loosen(), held)).one()[1]
        return exact if found else cls(q, texts, ALIKE)

    def loosened(self) -> "Words":
        """Let words match that are merely alike, until this transaction ends."""
        db.session.execute(select(_loosen()))
        return self

    def ids(self) -> Select[Any]:
        """Ids of those who fit, each column on its own trigram index."""
        halves = [select(key).where(self._fits(text)) for key, text in self.texts.items()]
        found = union(*halves).subquery()
        return select(found.c[0])

    def likeness(self) -> ColumnElement[int]:
        """How well the best of the texts fits, as a whole number that a cursor can hold exactly."""
        words = func.folded(literal(self.q))
        scores = [func.word_similarity(words, text) for text in self.texts.values()]
        return cast((func.greatest(*scores) if len(scores) > 1 else scores[0]) * 1000, Integer)

    def _fits(self, text: Column) -> ColumnElement[bool]:
        if self.way == ALIKE:
            fits: ColumnElement[bool] = func.folded(literal(self.q)).op("<%")(text)
            return fits
        held: ColumnElement[bool] = text.like("%" + func.folded(literal(_escaped(self.q))) + "%")
        digits = re.sub(r"\D", "", self.q)
        if len(digits) >= MIN_DIGITS and not re.search(r"[^\W\d_]", self.q):
            return or_(held, text.like(f"%{digits}%"))
        return held


def customers(*, filters: Filters, window: Window) -> Page[Account]:
    """Customers, the newest first; words that are merely alike, the likeliest first."""
    statement = select(Account).where(Account.role == Role.CUSTOMER.value, *filters.common())
    if filters.pincode is not None:
        statement = statement.where(Account.pincode == filters.pincode)
    texts = {Account.id: Account.person_text}
    page = people(statement, filters=filters, texts=texts, role=Role.CUSTOMER, window=window)
    return Page([row[0] for row in page.items], page.next_cursor)


def people(
    statement: Select[Any],
    *,
    filters: Filters,
    texts: Mapping[Column, Column],
    role: Role,
    window: Window,
    sortings: Mapping[str, Sorting] | None = None,
) -> Page[Any]:
    """One keyset page of accounts of one kind; the sort values ride along as further columns."""
    scope = f"{role.value}s:{filters.sort}"
    words = Words.of(filters.q, texts, role=role, window=window, scope=scope) if filters.q else None
    if words is not None:
        statement = statement.where(Account.id.in_(words.ids()))
        scope = f"{scope}:{words.way}"
    keys = _sorting(filters, words, sortings or {}).keys
    if window.cursor:
        statement = statement.where(after(keys, decode_cursor(scope, window.cursor, length=len(keys))))
    statement = statement.add_columns(*(column for column, _ in keys))
    rows: Sequence[Any] = db.session.execute(statement.order_by(*order(keys)).limit(window.limit + 1)).all()
    return cut(rows, window=window, scope=scope, values=lambda row: row[-len(keys) :])


def _sorting(filters: Filters, words: Words | None, more: Mapping[str, Sorting]) -> Sorting:
    newest: tuple[SortKey, ...] = ((Account.created_at, True), (Account.id, True))
    if filters.sort is not None and filters.sort in more:
        return more[filters.sort]
    if filters.sort == "name":
        return Sorting("name", ((Account.name_text, False), (Account.id, False)))
    if filters.sort in (None, "relevance") and words is not None and words.way == ALIKE:
        return Sorting("relevance", ((words.likeness(), True), *newest))
    return Sorting("created", newest)


def _is_of(cursor: str, scope: str) -> bool:
    """Whether the cursor is one of this list, whatever its length."""
    for length in (2, 3):
        try:
            decode_cursor(scope, cursor, length=length)
        except Invalid:
            continue
        return True
    return False


def _loosen() -> ColumnElement[str]:
    return func.set_config("pg_trgm.word_similarity_threshold", str(CLOSE_ENOUGH), True)


def _escaped(q: str) -> str:
    return q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
