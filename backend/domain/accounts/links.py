"""Links sent by email: to confirm an address, to reset a password; each works once."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from backend.core import text
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid, NotFound
from backend.domain.accounts import actions, queries
from backend.domain.accounts.models import Account, MailedLink
from backend.domain.notifications.create import send_account_mail

PAGES: Final = {
    "password_reset": "/app/password/reset",
    "email_confirmation": "/app/email/confirm",
    "email_undo": "/app/email/undo",
}
PER_HOUR: Final = 5
NOT_LIMITED: Final = ("email_undo",)  # no flood may keep the owner from getting the link that undoes it


def make(
    account: Account, purpose: str, *, life: timedelta, email_key: str | None = None, email: str | None = None
) -> str | None:
    """Return the address to mail; None when the account was sent enough of these within the hour.

    The token stands in the fragment, which browsers do not send: no web server or proxy writes it to a log.
    ``email_key`` is the address it is mailed to, where that is not the account's own.
    """
    if purpose not in NOT_LIMITED and _recent(account, purpose) >= PER_HOUR:
        return None
    token = secrets.token_urlsafe(32)
    db.session.add(
        MailedLink(
            token_hash=_digest(token),
            account_id=account.id,
            purpose=purpose,
            email_key=email_key or account.email_key,
            email=email,
            created_at=now(),
            expires_at=now() + life,
        )
    )
    db.session.flush()
    return f"{current_settings().public_url}{PAGES[purpose]}#token={token}"


def require_open(token: str, purpose: str) -> Account:
    """Return the account of a link that still works, before costly work that it is needed for. Raises Invalid."""
    try:
        return queries.get(_find(token, purpose).account_id)
    except NotFound:
        raise _unusable() from None


def use(token: str, purpose: str) -> tuple[Account, MailedLink]:
    """Use a link up, and return its account, locked until the transaction ends.

    Raises Invalid for a token that is unknown, used or too old. Of two uses at once one succeeds.
    """
    try:
        account = queries.hold(_find(token, purpose).account_id)
    except NotFound:
        raise _unusable() from None
    link = _find(token, purpose)  # again: another use may have ended while this one waited for the account
    link.used_at = now()
    db.session.flush()
    return account, link


def use_up(account_id: int, purpose: str, *, since: datetime | None = None) -> None:
    """Make the open links of an account work no more; with ``since`` only those made at or after that time."""
    statement = update(MailedLink).where(
        MailedLink.account_id == account_id, MailedLink.purpose == purpose, MailedLink.used_at.is_(None)
    )
    if since is not None:
        statement = statement.where(MailedLink.created_at >= since)
    db.session.execute(statement.values(used_at=now()).execution_options(synchronize_session=False))


def require_mailed_to(link: MailedLink, email_key: str) -> None:
    """Raise Invalid when a link was mailed to an address that no longer counts for its account."""
    if link.email_key != email_key:
        raise _unusable()


def drop_expired(limit: int = 500) -> int:
    """Delete links that no longer work since a day, so many at a time; returns how many."""
    expired = MailedLink.expires_at < now() - timedelta(days=1)
    old = select(MailedLink.token_hash).where(expired).order_by(MailedLink.expires_at).limit(limit)
    gone = delete(MailedLink).where(MailedLink.token_hash.in_(old.scalar_subquery())).returning(MailedLink.token_hash)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _recent(account: Account, purpose: str) -> int:
    statement = select(func.count()).where(
        MailedLink.account_id == account.id,
        MailedLink.purpose == purpose,
        MailedLink.created_at > now() - timedelta(hours=1),
    )
    return db.session.execute(statement).scalar_one()


def _find(token: str, purpose: str) -> MailedLink:
    statement = select(MailedLink).where(
        MailedLink.token_hash == _digest(token),
        MailedLink.purpose == purpose,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now(),
    )
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise _unusable()
    return found


def _unusable() -> Invalid:
    return Invalid.field(
        "token", "This link has already been used or has expired. Request a new one.", code="link_invalid"
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


LIFE: Final = timedelta(days=7)


def key_of(email: str) -> str:
    """Return the key under which an account holds an email it has just given.

    Where addresses are confirmed it is one of its own until then, which is no address: nobody signs in or is found
    by it, and it keeps nobody else from the address.
    """
    return f"unconfirmed:{uuid.uuid4()}" if current_settings().email_confirmation else text.key(email)


def is_new(account: Account, email: str) -> bool:
    """Return whether an email is another one than the account has or, where addresses are confirmed, claims."""
    held = text.key(account.email) if current_settings().email_confirmation else account.email_key
    return text.key(email) != held


def ask(account: Account) -> None:
    """Mail the link that confirms the address, where the market wants that and it was not done yet.

    To an address of another account goes a note instead, as often and no oftener.
    """
    if not current_settings().email_confirmation or account.email_confirmed_at is not None:
        return
    link = make(account, "email_confirmation", life=LIFE)
    if link is None:
        return
    owner = queries.email_owner(text.key(account.email), apart_from=account.id)
    if owner is None:
        send_account_mail(account.id, "email_confirmation", {"link": link, "username": account.username})
    else:
        send_account_mail(owner, "email_in_use", {"send_to": account.email})


def ask_again(account_id: int) -> None:
    """Mail the link once more."""
    ask(queries.get(account_id))


def confirm(token: str) -> None:
    """Confirm the address. Raises Invalid for a link that does not work, or when another account was faster."""
    account, link = use(token, "email_confirmation")
    require_mailed_to(link, account.email_key)
    use_up(account.id, "email_confirmation")
    key = text.key(account.email)
    if queries.email_owner(key, apart_from=account.id) is not None:
        raise actions.refusal({"email": [actions.EMAIL]})
    account.email_key, account.email_confirmed_at = key, now()
    actions.flush()
