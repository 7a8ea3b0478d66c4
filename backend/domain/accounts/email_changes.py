"""A changed email can be changed back through a link sent to the previous address.

The thief of a session would change the email and then reset the password. So for some days the previous address is
the one that counts: it holds the link that undoes the change, and links to reset the password go there.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import Select, select

from backend.core import text
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions, links, queries, sessions, throttle
from backend.domain.accounts.models import Account, MailedLink
from backend.domain.live_updates import changes
from backend.domain.notifications.create import send_account_mail

UNDO_DAYS: Final = 7
CORRECTION: Final = timedelta(days=1)


def protect(account: Account) -> None:
    """Notify the current email, before it changes, with a link that undoes the change.

    An address entered within the last day gets no link: it may be a typing error that is being corrected, and its
    owner a stranger. The link sent to the address before it still works. An unconfirmed address gets no email at all
    if emails must be confirmed.

    Open password reset links are invalidated, except at a second change, by which a thief could invalidate links that
    the owner requested in the meantime.
    """
    if recovery_address(account)[1] == account.email_key:
        links.use_up(account.id, "password_reset")
    is_confirmed = account.email_confirmed_at is not None
    if current_settings().email_confirmation and not is_confirmed:
        return
    params = {"username": account.username, "send_to": account.email}
    changed_at = account.email_changed_at
    if not is_confirmed and changed_at is not None and now() - changed_at < CORRECTION:
        send_account_mail(account.id, "email_left", params)
        return
    link = links.make(account, "email_undo", life=timedelta(days=UNDO_DAYS), email=account.email)
    send_account_mail(account.id, "email_changed", {**params, "link": link, "days": UNDO_DAYS})


def undo(token: str, *, address: str | None) -> None:
    """Change the email back to the one that the link was sent to.

    All sessions end, and open links to reset the password stop working. So do undo links of later changes; one of an
    earlier change still works, for its address was the account's before this one. Raises Invalid for a link that does
    not work, or when the address belongs to another account by now.
    """
    account, link = links.use(token, "email_undo")
    before = account.email
    if queries.email_owner(link.email_key, apart_from=account.id) is not None:
        raise actions.refusal({"email": [actions.EMAIL]})
    account.email, account.email_key = str(link.email), link.email_key
    account.email_confirmed_at, account.email_changed_at = now(), None
    account.version += 1
    actions.flush()
    changes.announce_account(account.id)
    links.use_up(account.id, "email_undo", since=link.created_at)
    for purpose in ("password_reset", "email_confirmation"):
        links.use_up(account.id, purpose)
    throttle.forget(account.id)
    sessions.end_all(account_id=account.id, reason="email_restored")
    send_account_mail(account.id, "email_restored", {"username": account.username})
    if text.key(before) != account.email_key:
        send_account_mail(account.id, "email_left", {"username": account.username, "send_to": before})
    owner = Actor(id=account.id, role=Role(account.role), address=address)
    change = {"before": {"email": before}, "after": {"email": account.email}}
    actions.record_change(owner, account, "account_email_restored", **change)


def account_by_email(email: str) -> Account | None:
    """Return the account that has this email, or had it before a change that can still be undone."""
    account = queries.by_login(email)
    if account is not None:
        return account
    left = _undoable().where(MailedLink.email_key == text.key(email)).order_by(MailedLink.created_at.desc())
    link = db.session.execute(left.limit(1)).scalar_one_or_none()
    return db.session.get(Account, link.account_id) if link is not None else None


def recovery_address(account: Account) -> tuple[str, str]:
    """Return the email, and its key, to which password reset links are sent.

    While a change can be undone, that is the address before the first such change: the new one may be a thief's, or
    a stranger's whose address was entered by mistake.
    """
    first = _undoable().where(MailedLink.account_id == account.id).order_by(MailedLink.created_at).limit(1)
    link = db.session.execute(first).scalar_one_or_none()
    return (account.email, account.email_key) if link is None else (str(link.email), link.email_key)


def refuse_taken(account: Account, email: str) -> None:
    """Reject an email of another account. Raises Invalid."""
    if (
        not current_settings().email_confirmation
        and queries.email_owner(text.key(email), apart_from=account.id) is not None
    ):
        raise Invalid.field("email", actions.EMAIL, code="email_taken")


def _undoable() -> Select[MailedLink]:
    return select(MailedLink).where(
        MailedLink.purpose == "email_undo", MailedLink.used_at.is_(None), MailedLink.expires_at > now()
    )
