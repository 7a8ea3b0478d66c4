"""Expiry of approvals: a reminder ahead, and the expiry itself. Housekeeping calls both."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.security.authz import SYSTEM
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.live_updates import changes
from backend.domain.notifications.create import send_account_mails
from backend.domain.professionals import availability
from backend.domain.professionals.approval import EXPIRE
from backend.domain.professionals.models import Professional

REMINDED_BEFORE: Final = timedelta(days=30)
SOURCES: Final = [source.value for source in EXPIRE.sources]


def expire_approvals(at: datetime | None = None, limit: int = 500) -> int:
    """Expire approvals, notify their owners and return how many. Call again while it is ``limit``."""
    at = at or now()
    due = _due(at, limit)
    ended = (
        update(Professional)
        .where(Professional.account_id.in_(due))
        .values(approval=EXPIRE.target.value, approval_changed_at=at, holds_checked_at=None)
        .returning(Professional.account_id, Professional.approval_expires_at)
    )
    rows = db.session.execute(ended).all()
    changed = [row.account_id for row in rows]
    if not changed:
        return 0
    db.session.execute(update(Account).where(Account.id.in_(changed)).values(version=Account.version + 1))
    for account_id in changed:
        record(SYSTEM, "approval_expired", subject_id=account_id, after={"approval": EXPIRE.target.value})
        changes.announce_approval(account_id)
    send_account_mails("document_expired", {account_id: {"expires": expires_at} for account_id, expires_at in rows})
    availability.remove(changed)
    return len(rows)


def remind_expiring(at: datetime | None = None, limit: int = 500) -> int:
    """Remind owners once, 30 days before expiry, and return how many. Call again while it is ``limit``."""
    at = at or now()
    due = _due(at + REMINDED_BEFORE, limit, not_reminded=True)
    statement = update(Professional).where(Professional.account_id.in_(due)).values(expiry_reminded_at=at)
    rows = db.session.execute(statement.returning(Professional.account_id, Professional.approval_expires_at)).all()
    send_account_mails("document_expiring", {account_id: {"expires": expires_at} for account_id, expires_at in rows})
    return len(rows)


def _due(until: datetime, limit: int, *, not_reminded: bool = False) -> Sequence[int]:
    """Held for this transaction; those that another run holds are left to it."""
    statement = (
        select(Professional.account_id)
        .join(Account, Account.id == Professional.account_id)
        .where(Professional.approval.in_(SOURCES), Professional.approval_expires_at <= until)
        .order_by(Professional.account_id)
        .limit(limit)
        .with_for_update(of=[Account, Professional], skip_locked=True)
    )
    if not_reminded:
        statement = statement.where(Professional.expiry_reminded_at.is_(None))
    return db.session.execute(statement).scalars().all()
