"""Read accounts: by login, by id, and the lists that admins search."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Integer, bindparam, cast, exists, func, or_, select, union, union_all
from sqlalchemy.orm import InstrumentedAttribute

from backend.core import text
from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.pagination import (
    AnySelect,
    Page,
    SortKey,
    Window,
    after,
    cut,
    decode_cursor,
    order,
    paged,
    position,
)
from backend.core.db.session import db
from backend.core.errors import Invalid, NotFound
from backend.core.security.authz import Role
from backend.core.text_tables import supported
from backend.domain.accounts.models import Account, MailedLink, Session

SESSIONS: Final = "sessions"
SIMILARITY_THRESHOLD: Final = 0.4  # pg_trgm's word similarity at which "sharna" still finds Sharma
MIN_DIGITS: Final = 4
IdColumn = InstrumentedAttribute[int]
TextColumn = InstrumentedAttribute[str]
EXACT: Final = "exact"
SIMILAR: Final = "alike"
WORDS: Final = func.folded(bindparam("q"))
CONTAINS: Final = "%" + func.folded(bindparam("held")) + "%"
NEWEST: Final[tuple[SortKey, ...]] = ((Account.created_at, True), (Account.id, True))
COLUMNS: Final = (
    Account.id,
    Account.role,
    Account.username,
    Account.email,
    Account.email_confirmed_at,
    Account.firstname,
    Account.lastname,
    Account.address,
    Account.pincode,
    Account.phone,
    Account.phone_verified_at,
    Account.blocked_at,
    Account.blocked_reason,
    Account.blocked_note,
    Account.created_at,
    Account.last_seen_at,
    Account.language,
)
USERNAME_CREDENTIALS: Final = select(Account.id, Account.password_hash).where(Account.username_key == bindparam("key"))
EMAIL_CREDENTIALS: Final = select(Account.id, Account.password_hash).where(Account.email_key == bindparam("key"))
COMMON: Final[dict[str, ColumnElement[bool]]] = {
    "blocked": Account.blocked_at.is_not(None),
    "not_blocked": Account.blocked_at.is_(None),
}
BY_NAME: Final[tuple[SortKey, ...]] = ((Account.name_text, False), (Account.id, False))


class AccountRow(NamedTuple):
    """An account in a list, in the order of ``COLUMNS``."""

    id: int
    role: str
    username: str
    email: str
    email_confirmed_at: datetime | None
    firstname: str
    lastname: str
    address: str
    pincode: str
    phone: str | None
    phone_verified_at: datetime | None
    blocked_at: datetime | None
    blocked_reason: str | None
    blocked_note: str | None
    created_at: datetime
    last_seen_at: datetime | None
    language: str | None


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """Filters of a list of accounts; None means all."""

    q: str | None = None
    blocked: bool | None = None
    pincode: str | None = None
    sort: str | None = None

    def given(self) -> dict[str, object]:
        """Return the active conditions by name, with their values."""
        conditions: dict[str, object] = {}
        if self.blocked is not None:
            conditions["blocked" if self.blocked else "not_blocked"] = True
        if self.pincode is not None:
            conditions["pincode"] = self.pincode
        return conditions


@dataclass(frozen=True, slots=True, eq=False)
class ListQuery:
    """The list of the accounts of one role: its statement, conditions of filters, and sort orders.

    ``texts`` maps each column of ids to the folded text that a search matches.
    """

    role: Role
    statement: AnySelect
    conditions: Mapping[str, ColumnElement[bool]]
    texts: Mapping[IdColumn, TextColumn]
    sortings: Mapping[str, tuple[SortKey, ...]]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """How a search matches: texts that contain the words, or similar texts if none contains them.

    The cursor contains the choice of the first page, so that later pages use the same.
    """

    name: str
    digits: bool = False

    def ids(self, texts: Mapping[IdColumn, TextColumn]) -> AnySelect:
        """Return the ids of matching accounts. Each column uses its own trigram index."""
        matches = union(*(select(key).where(self._fits(text)) for key, text in texts.items())).subquery()
        return select(matches.c[0])

    def _fits(self, text: TextColumn) -> ColumnElement[bool]:
        if self.name == SIMILAR:
            likely: ColumnElement[bool] = WORDS.op("<%")(text)  # uses the index, whose threshold is slightly lower
            return likely & (func.word_similarity(WORDS, text) >= SIMILARITY_THRESHOLD)
        contains: ColumnElement[bool] = text.like(CONTAINS)
        return or_(contains, text.like("%" + bindparam("digits") + "%")) if self.digits else contains


CUSTOMERS: Final = ListQuery(
    Role.CUSTOMER,
    select(*COLUMNS).where(Account.role == Role.CUSTOMER.value),
    COMMON | {"pincode": Account.pincode == bindparam("pincode")},
    {Account.id: Account.person_text},
    {"name": BY_NAME},
)


def language_of(account_id: int) -> str:
    """Return the language of an account, or the default if it does not exist."""
    found = db.session.execute(select(Account.language).where(Account.id == account_id)).scalar_one_or_none()
    return supported(found)


def by_login(name: str) -> Account | None:
    """Return the account with this username or email, ignoring case. Usernames contain no @, so they cannot clash."""
    key = text.key(name)
    column = Account.email_key if "@" in key else Account.username_key
    return db.session.execute(select(Account).where(column == key)).scalar_one_or_none()


def credentials(name: str) -> tuple[int, str] | None:
    """Return id and password hash of the account that :func:`by_login` finds, without a transaction."""
    key = text.key(name)
    found = read_pool.one_or_none(EMAIL_CREDENTIALS if "@" in key else USERNAME_CREDENTIALS, {"key": key})
    return None if found is None else (found[0], found[1])


def get(account_id: int) -> Account:
    """Return the account. Raises NotFound."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("Account not found.")
    return account


def hold(account_id: int) -> Account:
    """Return the account, locked until the transaction ends. Raises NotFound."""
    statement = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    account = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if account is None:
        raise NotFound("Account not found.")
    return account


def has_username(username_key: str) -> bool:
    """Return whether an account has this username."""
    return db.session.execute(select(exists().where(Account.username_key == username_key))).scalar_one()


def email_owner(email_key: str, *, apart_from: int | None = None) -> int | None:
    """Return the id of the account that an email belongs to: one that has it, or may still change back to it.

    One statement, so that an address on its match from the account to the undo link is never seen as free.
    """
    has_it = select(Account.id).where(Account.email_key == email_key)
    may_return = select(MailedLink.account_id).where(
        MailedLink.email_key == email_key,
        MailedLink.purpose == "email_undo",
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now(),
    )
    owners = union_all(has_it, may_return).subquery()
    statement = select(owners.c[0]).limit(1)
    if apart_from is not None:
        statement = statement.where(owners.c[0] != apart_from)
    return db.session.execute(statement).scalar_one_or_none()


def sessions_of(account_id: int, *, window: Window) -> Page[Session]:
    """Return the account's active sessions, newest first."""
    keys: list[SortKey] = [(Session.created_at, True), (Session.id, True)]
    statement = select(Session).where(
        Session.account_id == account_id, Session.ended_at.is_(None), Session.expires_at > now()
    )
    if window.cursor:
        statement = statement.where(after(keys, decode_cursor(SESSIONS, window.cursor, length=2)))
    rows = db.session.execute(statement.order_by(*order(keys)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope=SESSIONS, values=lambda one: [one.created_at, one.id])


def customers(*, filters: AccountFilters, window: Window) -> Page[AccountRow]:
    """Return a page of customers, newest first, or by similarity if only similar words match."""
    return list_accounts(CUSTOMERS, filters=filters, window=window)


def list_accounts(listing: ListQuery, *, filters: AccountFilters, window: Window) -> Page[AccountRow]:
    """Return a keyset page of accounts of one role. The rows end with the sort keys."""
    given, scope = filters.given(), f"{listing.role.value}s:{filters.sort}"
    words = _words(filters.q) if filters.q else {}
    match = _text_match(listing, words, window=window, scope=scope) if words else None
    if match is not None:
        scope = f"{scope}:{match.name}"
    length = len(_keys(listing, filters.sort, match))
    statement = _page(listing, frozenset(given), match, filters.sort, goes_on=window.cursor is not None)
    rows = read_pool.rows(statement, given | words | position(window, scope, length=length), behind=True)
    page = cut(rows, window=window, scope=scope, values=lambda row: row[-length:])
    return Page([AccountRow._make(row[:-length]) for row in page.items], page.next_cursor)


@cache
def _page(
    listing: ListQuery, narrowed_by: frozenset[str], match: TextMatch | None, sort: str | None, *, goes_on: bool
) -> AnySelect:
    statement = listing.statement.where(*(listing.conditions[name] for name in sorted(narrowed_by)))
    if match is not None:
        statement = statement.where(Account.id.in_(match.ids(listing.texts)))
    keys = _keys(listing, sort, match)
    statement = statement.add_columns(*(column.label(f"key_{place}") for place, (column, _) in enumerate(keys)))
    return paged(statement, keys, goes_on=goes_on)


def _keys(listing: ListQuery, sort: str | None, match: TextMatch | None) -> tuple[SortKey, ...]:
    if sort is not None and sort in listing.sortings:
        return listing.sortings[sort]
    if sort in (None, "relevance") and match is not None and match.name == SIMILAR:
        return ((_likeness(listing.texts), True), *NEWEST)
    return NEWEST


def _likeness(texts: Mapping[IdColumn, TextColumn]) -> ColumnElement[int]:
    """Return the similarity of the best text, as an integer that a cursor can contain exactly."""
    scores = [func.word_similarity(WORDS, text) for text in texts.values()]
    return cast((func.greatest(*scores) if len(scores) > 1 else scores[0]) * 1000, Integer)


def _words(q: str) -> dict[str, str]:
    """Return the parameters of a search; with ``digits`` if the text may be a phone number."""
    words = {"q": q, "held": q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")}
    digits = re.sub(r"\D", "", q)
    is_number = len(digits) >= MIN_DIGITS and not re.search(r"[^\W\d_]", q)
    return words | {"digits": digits} if is_number else words


def _text_match(listing: ListQuery, words: Mapping[str, str], *, window: Window, scope: str) -> TextMatch:
    """Return how the search matches, with at most one query."""
    exact, similar = TextMatch(EXACT, digits="digits" in words), TextMatch(SIMILAR)
    if window.cursor:
        return exact if _is_of(window.cursor, f"{scope}:{EXACT}") else similar
    [is_held] = read_pool.one(_any_match(listing, exact), words, behind=True)
    return exact if is_held else similar


@cache
def _any_match(listing: ListQuery, match: TextMatch) -> AnySelect:
    held = select(Account.id).where(Account.role == listing.role.value, Account.id.in_(match.ids(listing.texts)))
    return select(held.exists().label("held"))


def _is_of(cursor: str, scope: str) -> bool:
    """Return whether the cursor belongs to this list, whatever its length."""
    for length in (2, 3):
        try:
            decode_cursor(scope, cursor, length=length)
        except Invalid:
            continue
        return True
    return False
