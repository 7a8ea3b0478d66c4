"""What people do with their accounts: sign up, sign in, edit."""

from dataclasses import dataclass

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError

from backend.core import passwords, text
from backend.core.authz import Role
from backend.core.database import db
from backend.core.errors import Forbidden, Invalid, Unauthenticated
from backend.domain.accounts import queries, sessions
from backend.domain.accounts.models import Account
from backend.domain.places import queries as places

TAKEN = {
    "uq_accounts_username_key": ("username", "Someone has this username already. Choose another."),
    "uq_accounts_email_key": ("email", "There is an account with this mail address already. Sign in instead."),
}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What every kind of sign-up asks for."""

    username: str
    email: str
    password: str
    firstname: str
    lastname: str
    address: str
    pincode: str
    phone: str | None = None


def sign_up(new: NewAccount, *, role: Role) -> Account:
    """Make an account. Raises Invalid naming the field for a taken name or mail, or a pincode that does not exist."""
    places.require(new.pincode)
    account = Account(
        role=role.value,
        username=new.username,
        username_key=text.key(new.username),
        email=new.email,
        email_key=text.key(new.email),
        password_hash=passwords.current().hash(new.password),
        firstname=new.firstname,
        lastname=new.lastname,
        address=new.address,
        pincode=new.pincode,
        phone=new.phone,
    )
    db.session.add(account)
    flush_unique()
    return account


def flush_unique() -> None:
    """Write pending accounts; the database's unique constraints decide who was first. Raises Invalid for the loser."""
    try:
        db.session.flush()
    except IntegrityError as error:
        constraint = error.orig.diag.constraint_name if isinstance(error.orig, UniqueViolation) else None
        if constraint not in TAKEN:
            raise
        field, message = TAKEN[constraint]
        raise Invalid.field(field, message, code=f"{field}_taken") from error


def sign_in(*, username: str, password: str, device: sessions.Device) -> tuple[Account, sessions.Issued]:
    """Prove who one is by name (or mail) and password.

    Raises Unauthenticated ``invalid_credentials`` (the same, at the same cost, for unknown names), Forbidden
    ``account_blocked`` when the password is right but the account is blocked.
    """
    account = queries.by_login(username)
    if not passwords.current().matches(account.password_hash if account else None, password) or account is None:
        raise Unauthenticated("The username or the password is not right.", code="invalid_credentials")
    if account.blocked_at is not None:
        raise Forbidden("This account is blocked. Ask the market's admins.", code="account_blocked")
    if passwords.current().is_outdated(account.password_hash):
        account.password_hash = passwords.current().hash(password)
    return account, sessions.start(account, device)
