"""What happens to admins' accounts: recorded, and told to the other admins, who notice what the owner may not."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from backend.core.authz import Actor, Role
from backend.core.database import db
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.notifications.actions import Note, notify_many

KIND: Final = "admin_account_changed"
CHANGES: Final = {
    "admin_created": "New admin",
    "account_email_changed": "Email of an admin changed",
    "account_email_restored": "Email of an admin changed back",
    "password_changed": "Password of an admin changed",
    "password_reset": "Password of an admin reset",
    "admin_password_reset": "Password of an admin reset",
}


def record_change(
    actor: Actor,
    account: Account,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Record a change of an admin's account and notify the other admins; other accounts are left alone."""
    if account.role != Role.ADMIN:
        return
    record(actor, action, subject_id=account.id, before=before, after=after)
    others = select(Account.id).where(
        Account.role == Role.ADMIN.value,
        Account.blocked_at.is_(None),
        Account.id.not_in([one for one in (account.id, actor.id) if one is not None]),
    )
    params = {"change": CHANGES[action], "username": account.username, "account_id": account.id}
    notify_many([Note(other, KIND, params=params) for other in db.session.execute(others).scalars()])
