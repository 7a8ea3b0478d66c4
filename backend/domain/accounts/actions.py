"""What people do with their accounts: sign up, edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backend.core import passwords, text
from backend.core.authz import Actor, Role
from backend.core.clock import now
from backend.core.config import current
from backend.core.database import db
from backend.core.errors import Stale
from backend.domain.accounts import (
    admin_changes,
    confirmation,
    email_changes,
    known_passwords,
    proof,
    queries,
    sessions,
    unique_fields,
)
from backend.domain.accounts.models import Account
from backend.domain.places import queries as places
from backend.domain.places.models import Place

Wrong = dict[str, list[str]]
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
        raise unique_fields.refusal(wrong)
    account = Account(
        role=role.value,
        username=new.username,
        username_key=text.key(new.username),
        email=new.email,
        email_key=confirmation.key_of(new.email),
        password_hash=passwords.current().hash(new.password),
        firstname=new.firstname,
        lastname=new.lastname,
        address=new.address,
        pincode=new.pincode,
        phone=new.phone,
        created_at=now(),
    )
    db.session.add(account)
    unique_fields.flush()
    confirmation.ask(account)
    return account


def edit(
    actor: Actor,
    *,
    expected_version: int | None = None,
    email: str | None = None,
    phone: str | None = UNSET,
    pincode: str | None = None,
    **plain: str,
) -> Account:
    """Change one's own details (``plain``: firstname, lastname, address).

    The row stays locked until the transaction ends, so that of two edits at once neither is lost.

    Raises:
        Invalid: Names the field.
        Stale: The version is not the current one.
        FreshSignInNeeded: An admin's email changes, and the password was not proved lately.
    """
    account = touch(actor.account_id, expected_version=expected_version)
    if pincode is not None:
        places.require(pincode)
        account.pincode = pincode
    for name, value in plain.items():
        setattr(account, name, value)
    if phone is not UNSET and phone != account.phone:
        account.phone, account.phone_verified_at = phone, None
    is_new_address = email is not None and confirmation.is_new(account, email)
    if email is not None and is_new_address:
        _change_email(actor, account, email)
    elif email is not None:
        account.email = email
    unique_fields.flush()
    if is_new_address:
        confirmation.ask(account)
    return account


def hold(account_id: int) -> None:
    """Lock the account until the transaction ends, for a change of what belongs to it. Its version stays."""
    queries.hold(account_id)


def touch(account_id: int, *, expected_version: int | None = None) -> Account:
    """Return the account, locked for a change, its version one higher. Raises NotFound; Stale for another version."""
    account = queries.hold(account_id)
    if expected_version is not None and account.version != expected_version:
        raise Stale("This was changed since you read it. Read it again, then repeat your change.")
    account.version += 1
    db.session.flush()
    return account


def _change_email(actor: Actor, account: Account, email: str) -> None:
    """Give an account another email. An admin has to have proved the password lately. Raises FreshSignInNeeded.

    The session is looked at again now that the account is locked: an undo of an earlier change may have ended it.
    """
    sessions.require_open(actor)
    if account.role == Role.ADMIN:
        proof.require(actor)
    email_changes.refuse_taken(account, email)
    email_changes.protect(account)
    change = {"before": {"email": account.email}, "after": {"email": email}}
    account.email, account.email_key = email, confirmation.key_of(email)
    account.email_confirmed_at, account.email_changed_at = None, now()
    admin_changes.record_change(actor, account, "account_email_changed", **change)


def _wrong_fields(new: NewAccount) -> Wrong:
    """Return all that the database knows against a sign-up. Races are decided by its constraints afterwards."""
    wrong: Wrong = {}
    if queries.has_username(text.key(new.username)):
        wrong["username"] = [unique_fields.USERNAME]
    if not current().email_confirmation and queries.email_owner(text.key(new.email)) is not None:
        wrong["email"] = [unique_fields.EMAIL]
    if problem := known_passwords.problem(new.password, username=new.username, email=new.email):
        wrong["password"] = [problem]
    if db.session.get(Place, new.pincode) is None:
        wrong["pincode"] = ["There is no such pincode."]
    return wrong
