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
from backend.domain.live_updates import changes
from backend.domain.notifications.create import send_account_mail

PAGES: Final = {
    "password_reset": "/app/password/reset",
    "email_confirmation": "/app/email/confirm",
    "email_undo": "/app/email/undo",
}
PER_HOUR: Final = 5
NOT_LIMITED: Final = ("email_undo",)  # a flood of other links must not keep the owner from getting the undo link
CONFIRMATION_LIFETIME: Final = timedelta(days=7)


def make(
    account: Account, purpose: str, *, life: timedelta, email_key: str | None = None, email: str | None = None
) -> str | None:
    """Return the URL to send, or None if the account has reached the hourly limit.

    The token is in the URL fragment, which browsers do not send, so that no server or proxy logs it.
    ``email_key`` is the recipient if it is not the account's own address.
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
    """Return the account of a valid link, before expensive work. Raises Invalid."""
    try:
        return queries.get(_find(token, purpose).account_id)
    except NotFound:
        raise _unusable() from None


def use(token: str, purpose: str) -> tuple[Account, MailedLink]:
    """Use a link up, and return its account, locked until the transaction ends.

    Raises Invalid for an unknown, used or expired token. Of two concurrent uses one succeeds.
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
    """Invalidate the open links of an account; with ``since`` only those created at or after that time."""
    statement = update(MailedLink).where(
        MailedLink.account_id == account_id, MailedLink.purpose == purpose, MailedLink.used_at.is_(None)
    )
    if since is not None:
        statement = statement.where(MailedLink.created_at >= since)
    db.session.execute(statement.values(used_at=now()).execution_options(synchronize_session=False))


def require_mailed_to(link: MailedLink, email_key: str) -> None:
    """Raise Invalid if a link was sent to an address that no longer belongs to its account."""
    if link.email_key != email_key:
        raise _unusable()


def drop_expired(limit: int = 500) -> int:
    """Delete up to ``limit`` links that have been invalid for a day, and return how many."""
    expired = MailedLink.expires_at < now() - timedelta(days=1)
    old = select(MailedLink.token_hash).where(expired).order_by(MailedLink.expires_at).limit(limit)
    gone = delete(MailedLink).where(MailedLink.token_hash.in_(old.scalar_subquery())).returning(MailedLink.token_hash)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


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


def request_confirmation(account: Account) -> None:
    """Send the confirmation link, if emails must be confirmed and this one is not.

    An address of another account gets a notice instead, under the same limit.
    """
    if not current_settings().email_confirmation or account.email_confirmed_at is not None:
        return
    link = make(account, "email_confirmation", life=CONFIRMATION_LIFETIME)
    if link is None:
        return
    owner = queries.email_owner(text.key(account.email), apart_from=account.id)
    if owner is None:
        send_account_mail(account.id, "email_confirmation", {"link": link, "username": account.username})
    else:
        send_account_mail(owner, "email_in_use", {"send_to": account.email})


def request_confirmation_again(account_id: int) -> None:
    """Send the link again."""
    request_confirmation(queries.get(account_id))


def confirm(token: str) -> None:
    """Confirm the address. Raises Invalid for an invalid link, or if another account confirmed it first."""
    account, link = use(token, "email_confirmation")
    require_mailed_to(link, account.email_key)
    use_up(account.id, "email_confirmation")
    key = text.key(account.email)
    if queries.email_owner(key, apart_from=account.id) is not None:
        raise actions.refusal({"email": [actions.EMAIL]})
    account.email_key, account.email_confirmed_at = key, now()
    actions.flush()
    changes.announce_account(account.id)


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
