"""Confirming that a mail address is one's own, where the market wants it (a setting, off by default); leaving it."""

from datetime import timedelta
from typing import Final

from backend.core.clock import now
from backend.core.config import current
from backend.core.database import db
from backend.domain.accounts import links, queries
from backend.domain.accounts.models import Account
from backend.domain.notifications.actions import send_account_mail

LIFE: Final = timedelta(days=7)


def ask(account: Account) -> None:
    """Mail the link that confirms the address, where the market wants that and it was not done yet."""
    if not current().email_confirmation or account.email_confirmed_at is not None:
        return
    if link := links.make(account, "email_confirmation", life=LIFE):
        send_account_mail(account.id, "email_confirmation", {"link": link, "username": account.username})


def tell_the_address_before(account: Account) -> None:
    """Mail to the address that is about to be left: whoever took over an account would move its mails first."""
    if current().email_confirmation and account.email_confirmed_at is None:
        return
    send_account_mail(account.id, "email_changed", {"username": account.username, "send_to": account.email})


def ask_again(account_id: int) -> None:
    """Mail the link once more."""
    ask(queries.get(account_id))


def confirm(token: str) -> None:
    """The address is confirmed. Raises Invalid for a link that does not work."""
    account = links.use(token, "email_confirmation")
    account.email_confirmed_at = now()
    db.session.flush()
