"""Reading accounts."""

from sqlalchemy import func, select

from backend.core import text
from backend.core.database import db
from backend.core.errors import NotFound
from backend.domain.accounts.models import Account


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


def taken(*, username_key: str, email_key: str) -> tuple[bool, bool]:
    """Whether someone has this username, and whether someone has this mail address."""
    names = select(func.count()).where(Account.username_key == username_key).scalar_subquery()
    mails = select(func.count()).where(Account.email_key == email_key).scalar_subquery()
    row = db.session.execute(select(names, mails)).one()
    return bool(row[0]), bool(row[1])
