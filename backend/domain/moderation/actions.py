"""Actions of admins on accounts: block, unblock, create admins."""

from typing import Final

from sqlalchemy import select

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions, links, queries, sessions, sign_in
from backend.domain.accounts import actions as accounts
from backend.domain.accounts.actions import NewAccount
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.notifications.create import notify
from backend.domain.notifications.messages import phrase
from backend.domain.professionals import availability
from backend.domain.task_requests import bulk as task_requests
from backend.domain.task_requests.notifications import NOT_AVAILABLE

PUBLIC_REASON: Final = NOT_AVAILABLE  # the reason for a block is confidential


def block(
    actor: Actor, *, account_id: int, reason: str, note: str | None = None, expected_version: int | None = None
) -> None:
    """Block an account from its next call on, release or cancel its requests, and notify those affected.

    Raises Conflict for the actor's own account, the last admin, and a blocked account; FreshSignInNeeded
    for an admin's account.
    """
    _keep_an_admin(actor, account_id)
    account = accounts.touch(account_id, expected_version=expected_version)
    if account.blocked_at is not None:
        raise Conflict("This account is already blocked.", code="already_blocked")
    account.blocked_at, account.blocked_reason, account.blocked_note = now(), reason, note
    db.session.flush()
    sessions.end_all(account_id=account_id, reason="blocked")
    if account.role == Role.PROFESSIONAL:
        task_requests.release_all(actor, professional_id=account_id, reason=PUBLIC_REASON)
        availability.refresh(account_id)
    elif account.role == Role.CUSTOMER:
        task_requests.cancel_all(actor, customer_id=account_id, reason=PUBLIC_REASON)
    record(actor, "account_blocked", subject_id=account_id, after={"reason": reason, "note": note})
    notify(account_id, "blocked", params={"reason": phrase(f"block_reasons.{reason}"), "note": note})


def unblock(actor: Actor, *, account_id: int, expected_version: int | None = None) -> None:
    """Unblock an account, which must sign in again. Raises Conflict if it is not blocked."""
    account = accounts.touch(account_id, expected_version=expected_version)
    if account.blocked_at is None:
        raise Conflict("This account is not blocked.", code="not_blocked")
    before = {"reason": account.blocked_reason, "note": account.blocked_note}
    account.blocked_at = account.blocked_reason = account.blocked_note = None
    db.session.flush()
    if account.role == Role.PROFESSIONAL:
        availability.refresh(account_id)
    record(actor, "account_unblocked", subject_id=account_id, before=before)
    notify(account_id, "unblocked")


def end_sessions(actor: Actor, *, account_id: int) -> None:
    """Sign an account out on all devices without blocking it, and invalidate open password reset links.

    Raises NotFound; FreshSignInNeeded for another admin's account.
    """
    account = queries.hold(account_id)
    if account.role == Role.ADMIN and account.id != actor.id:
        sign_in.require_fresh_sign_in(actor)
    links.use_up(account_id, "password_reset")
    ended = sessions.end_all(account_id=account_id, reason="ended_by_admin")
    record(actor, "sessions_ended", subject_id=account_id, after={"sessions": ended})


def add_admin(actor: Actor, *, new: NewAccount) -> Account:
    """Create another admin and notify the others. Raises Invalid like every sign-up, FreshSignInNeeded."""
    sign_in.require_fresh_sign_in(actor)
    account = accounts.sign_up(new, role=Role.ADMIN)
    actions.record_change(actor, account, "admin_created", after={"username": account.username})
    return account


def _keep_an_admin(actor: Actor, account_id: int) -> None:
    """Raise Conflict for the actor's own account or the last admin, also when two admins block each other."""
    if account_id == actor.id:
        raise Conflict("You cannot block your own account. Ask another admin.", code="own_account")
    role = db.session.execute(select(Account.role).where(Account.id == account_id)).scalar_one_or_none()
    if role is None:
        raise NotFound("Account not found.")
    if role != Role.ADMIN:
        return
    sign_in.require_fresh_sign_in(actor)
    statement = select(Account.id).where(Account.role == Role.ADMIN.value, Account.blocked_at.is_(None))
    open_admins = set(db.session.execute(statement.order_by(Account.id).with_for_update(key_share=True)).scalars())
    if not open_admins - {account_id} or (actor.id is not None and actor.id not in open_admins):
        raise Conflict("You cannot block the only admin. Create another admin first.", code="last_admin")
