"""Confirming that an email is one's own, where the market wants it (a setting, off by default).

There, an address belongs to whoever confirms it first. Until then an account only claims it: signing up with, or
changing to, an address of someone else is answered like any other, and its owner is told by mail.
"""

import uuid
from datetime import timedelta
from typing import Final

from backend.core import text
from backend.core.clock import now
from backend.core.config import current
from backend.domain.accounts import links, queries, unique_fields
from backend.domain.accounts.models import Account
from backend.domain.notifications.actions import send_account_mail

LIFE: Final = timedelta(days=7)


def key_of(email: str) -> str:
    """Return the key under which an account holds an email it has just given.

    Where addresses are confirmed it is one of its own until then, which is no address: nobody signs in or is found
    by it, and it keeps nobody else from the address.
    """
    return f"unconfirmed:{uuid.uuid4()}" if current().email_confirmation else text.key(email)


def is_new(account: Account, email: str) -> bool:
    """Return whether an email is another one than the account has or, where addresses are confirmed, claims."""
    held = text.key(account.email) if current().email_confirmation else account.email_key
    return text.key(email) != held


def ask(account: Account) -> None:
    """Mail the link that confirms the address, where the market wants that and it was not done yet.

    To an address of another account goes a note instead, as often and no oftener.
    """
    if not current().email_confirmation or account.email_confirmed_at is not None:
        return
    link = links.make(account, "email_confirmation", life=LIFE)
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
    account, link = links.use(token, "email_confirmation")
    links.require_mailed_to(link, account.email_key)
    links.use_up(account.id, "email_confirmation")
    key = text.key(account.email)
    if queries.email_owner(key, apart_from=account.id) is not None:
        raise unique_fields.refusal({"email": [unique_fields.EMAIL]})
    account.email_key, account.email_confirmed_at = key, now()
    unique_fields.flush()
