"""Reading accounts."""

from typing import Final

from sqlalchemy import func, select

from backend.core import text
from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import NotFound
from backend.core.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.domain.accounts.models import Account, Session

SESSIONS: Final = "sessions"


def by_login(name: str) -> Account | None:
    """The account with this username or mail address, whatever the case. Usernames hold no @, so they cannot clash."""
    key = text.key(name)
    column = Account.email_key if "@" in key else Account.username_key
    return db.session.execute(select(Account).where(column == key)).scalar_one_or_none()


def get(account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("No such account.")
    return account


def taken(*, username_key: str, email_key: str) -> tuple[bool, bool]:
    """Whether someone has this username, and whether someone has this mail address."""
    names = select(func.count()).where(Account.username_key == username_key).scalar_subquery()
    mails = select(func.count()).where(Account.email_key == email_key).scalar_subquery()
    row = db.session.execute(select(names, mails)).one()
    return bool(row[0]), bool(row[1])


def sessions_of(account_id: int, *, window: Window) -> Page[Session]:
    """The sessions in which the account is signed in, the newest first."""
    keys: list[SortKey] = [(Session.created_at, True), (Session.id, True)]
    statement = select(Session).where(
        Session.account_id == account_id, Session.ended_at.is_(None), Session.expires_at > now()
    )
    if window.cursor:
        statement = statement.where(after(keys, decode_cursor(SESSIONS, window.cursor, length=2)))
    rows = db.session.execute(statement.order_by(*order(keys)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope=SESSIONS, values=lambda one: [one.created_at, one.id])
