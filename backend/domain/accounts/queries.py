"""Reading accounts."""

from typing import Final

from sqlalchemy import exists, select, union_all

from backend.core import text
from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import NotFound
from backend.core.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.domain.accounts.models import Account, MailedLink, Session

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


def hold(account_id: int) -> Account:
    """Return the account, locked until the transaction ends. Raises NotFound."""
    statement = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    account = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if account is None:
        raise NotFound("No such account.")
    return account


def has_username(username_key: str) -> bool:
    """Return whether an account has this username."""
    return db.session.execute(select(exists().where(Account.username_key == username_key))).scalar_one()


def email_owner(email_key: str, *, apart_from: int | None = None) -> int | None:
    """Return the id of the account that an email belongs to: one that has it, or may still change back to it.

    One statement, so that an address on its way from the account to the undo link is never seen as free.
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
    """The sessions in which the account is signed in, the newest first."""
    keys: list[SortKey] = [(Session.created_at, True), (Session.id, True)]
    statement = select(Session).where(
        Session.account_id == account_id, Session.ended_at.is_(None), Session.expires_at > now()
    )
    if window.cursor:
        statement = statement.where(after(keys, decode_cursor(SESSIONS, window.cursor, length=2)))
    rows = db.session.execute(statement.order_by(*order(keys)).limit(window.limit + 1)).scalars().all()
    return cut(rows, window=window, scope=SESSIONS, values=lambda one: [one.created_at, one.id])
