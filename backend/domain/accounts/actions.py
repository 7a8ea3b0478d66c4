"""What people do with their accounts: sign up, edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.core import passwords, text
from backend.core.authz import Role
from backend.core.clock import now
from backend.core.database import db
from backend.core.errors import Invalid, NotFound, Stale
from backend.domain.accounts import confirmation, known_passwords, queries
from backend.domain.accounts.models import Account
from backend.domain.places import queries as places
from backend.domain.places.models import Place

Wrong = dict[str, list[str]]
TAKEN: Final = {
    "uq_accounts_username_key": ("username", "Someone has this username already. Choose another."),
    "uq_accounts_email_key": ("email", "There is an account with this mail address already. Sign in instead."),
}
CODES: Final = {
    "username": "username_taken",
    "email": "email_taken",
    "pincode": "unknown_pincode",
    "password": "password_well_known",
}
UNSET: Final[Any] = object()


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


@passwords.in_line
def sign_up(new: NewAccount, *, role: Role, also_wrong: Mapping[str, list[str]] | None = None) -> Account:
    """Make an account. Raises Invalid naming every field that cannot be taken, ``also_wrong`` ones among them."""
    wrong = {**_wrong_fields(new), **(also_wrong or {})}
    if wrong:
        raise _invalid(wrong)
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
        created_at=now(),
    )
    db.session.add(account)
    flush_unique()
    confirmation.ask(account)
    return account


def edit(
    account_id: int,
    *,
    expected_version: int | None = None,
    email: str | None = None,
    phone: str | None = UNSET,
    pincode: str | None = None,
    **plain: str,
) -> Account:
    """Change one's own facts (``plain``: firstname, lastname, address).

    Raises Invalid naming the field, Stale when the version is not the present one. The row stays held until the
    transaction ends, so that of two edits at once neither is lost.
    """
    account = touch(account_id, expected_version=expected_version)
    if pincode is not None:
        places.require(pincode)
        account.pincode = pincode
    for name, value in plain.items():
        setattr(account, name, value)
    if phone is not UNSET:
        account.phone = phone
    is_new_address = email is not None and text.key(email) != account.email_key
    if is_new_address:
        confirmation.tell_the_address_before(account)
    if email is not None:
        account.email, account.email_key = email, text.key(email)
    if is_new_address:
        account.email_confirmed_at = None
    flush_unique()
    if is_new_address:
        confirmation.ask(account)
    return account


def hold(account_id: int) -> None:
    """Lock the account until the transaction ends, for a change of what belongs to it. Its version stays."""
    db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def touch(account_id: int, *, expected_version: int | None = None) -> Account:
    """The account, held for a change and one version further. Raises NotFound, or Stale for another version."""
    statement = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    account = db.session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if account is None:
        raise NotFound("No such account.")
    if expected_version is not None and account.version != expected_version:
        raise Stale("This was changed since you read it. Read it again, then repeat your change.")
    account.version += 1
    db.session.flush()
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
        raise _invalid({field: [message]}) from error


def _wrong_fields(new: NewAccount) -> Wrong:
    """All that the database knows against a sign-up, at once. Races are decided by its constraints afterwards."""
    wrong: Wrong = {}
    taken_names, taken_mails = queries.taken(username_key=text.key(new.username), email_key=text.key(new.email))
    for is_taken, constraint in ((taken_names, "uq_accounts_username_key"), (taken_mails, "uq_accounts_email_key")):
        if is_taken:
            field, message = TAKEN[constraint]
            wrong[field] = [message]
    if problem := known_passwords.problem(new.password, username=new.username, email=new.email):
        wrong["password"] = [problem]
    if db.session.get(Place, new.pincode) is None:
        wrong["pincode"] = ["There is no such pincode."]
    return wrong


def _invalid(wrong: Mapping[str, list[str]]) -> Invalid:
    field = next(iter(wrong))
    return Invalid(f"{field}: {wrong[field][0]}", code=CODES.get(field) if len(wrong) == 1 else None, errors=wrong)
