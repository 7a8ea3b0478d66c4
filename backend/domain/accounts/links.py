"""Links that are mailed: single use, expiring, and only their digest kept."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from backend.core.clock import now
from backend.core.config import current
from backend.core.database import db
from backend.core.errors import Invalid
from backend.domain.accounts.models import Account, MailedLink

PAGES: Final = {"password_reset": "/app/password/reset", "email_confirmation": "/app/email/confirm"}
PER_HOUR: Final = 5


def make(account: Account, purpose: str, *, life: timedelta) -> str | None:
    """The address to mail; None when the account was sent enough of these within the hour."""
    recent = select(func.count()).where(
        MailedLink.account_id == account.id,
        MailedLink.purpose == purpose,
        MailedLink.created_at > now() - timedelta(hours=1),
    )
    if db.session.execute(recent).scalar_one() >= PER_HOUR:
        return None
    token = secrets.token_urlsafe(32)
    db.session.add(
        MailedLink(
            token_hash=_digest(token),
            account_id=account.id,
            purpose=purpose,
            email_key=account.email_key,
            created_at=now(),
            expires_at=now() + life,
        )
    )
    db.session.flush()
    return f"{current().public_url}{PAGES[purpose]}?token={token}"


def use(token: str, purpose: str) -> Account:
    """The account that a link was mailed to; it and its sisters are used up. Raises Invalid for any other token."""
    statement = (
        update(MailedLink)
        .where(
            MailedLink.token_hash == _digest(token),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.expires_at > now(),
        )
        .values(used_at=now())
        .returning(MailedLink.account_id, MailedLink.email_key)
    )
    used = db.session.execute(statement).one_or_none()
    account = db.session.get(Account, used.account_id) if used else None
    if used is None or account is None or account.email_key != used.email_key:
        raise Invalid.field(
            "token", "This link was used already or is too old. Ask for a new one.", code="link_invalid"
        )
    sisters = update(MailedLink).where(MailedLink.account_id == account.id, MailedLink.purpose == purpose)
    db.session.execute(sisters.where(MailedLink.used_at.is_(None)).values(used_at=now()))
    return account


def drop_expired(limit: int = 500) -> int:
    """Delete links that no longer work since a day, so many at a time; returns how many."""
    expired = MailedLink.expires_at < now() - timedelta(days=1)
    old = select(MailedLink.token_hash).where(expired).order_by(MailedLink.expires_at).limit(limit)
    gone = delete(MailedLink).where(MailedLink.token_hash.in_(old.scalar_subquery())).returning(MailedLink.token_hash)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
