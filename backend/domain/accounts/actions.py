"""Sign up, edit an account, and keep usernames and emails unique."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.core import text
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid, Stale
from backend.core.security import password_hashing
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import email_changes, links, password_rules, queries, sessions, sign_in
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record
from backend.domain.live_updates import changes
from backend.domain.notifications.create import Note, notify_many
from backend.domain.notifications.messages import phrase
from backend.domain.places import queries as places
from backend.domain.places.models import Place

Wrong = dict[str, list[str]]
USERNAME: Final = "That username is taken. Choose another."
EMAIL: Final = "That email belongs to another account. Sign in to it, or use another email."
TAKEN: Final = {"uq_accounts_username_key": ("username", USERNAME), "uq_accounts_email_key": ("email", EMAIL)}
CODES: Final = {
    "username": "username_taken",
    "email": "email_taken",
    "pincode": "unknown_pincode",
    "password": "password_well_known",
}
KIND: Final = "admin_account_changed"


class Unset(Enum):
    """The default of a parameter for which None has a meaning."""

    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The fields common to all sign-ups."""

    username: str
    email: str
    password: str
    firstname: str
    lastname: str
    address: str
    pincode: str
    phone: str | None = None
    language: str | None = None


@password_hashing.queued
def sign_up(new: NewAccount, *, role: Role, also_wrong: Mapping[str, list[str]] | None = None) -> Account:
    """Create an account. Raises Invalid naming every invalid field, including those in ``also_wrong``."""
    wrong = {**_wrong_fields(new), **(also_wrong or {})}
    if wrong:
        raise refusal(wrong)
    account = Account(
        role=role.value,
        username=new.username,
        username_key=text.key(new.username),
        email=new.email,
        email_key=links.key_of(new.email),
        password_hash=password_hashing.current_hasher().hash(new.password),
        firstname=new.firstname,
        lastname=new.lastname,
        address=new.address,
        pincode=new.pincode,
        phone=new.phone,
        language=new.language,
        created_at=now(),
    )
    db.session.add(account)
    flush()
    links.request_confirmation(account)
    changes.announce_account(account.id)
    return account


def edit(
    actor: Actor,
    *,
    expected_version: int | None = None,
    email: str | None = None,
    phone: str | Unset | None = Unset.UNSET,
    firstname: str | None = None,
    lastname: str | None = None,
    address: str | None = None,
    pincode: str | None = None,
    language: str | None = None,
) -> Account:
    """Change the actor's own details; None leaves a field as it is, except for ``phone``, which may be removed.

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
    account.firstname = firstname or account.firstname
    account.lastname = lastname or account.lastname
    account.address = address or account.address
    account.language = language or account.language
    if phone is not Unset.UNSET and phone != account.phone:
        account.phone, account.phone_verified_at = phone, None
    is_new_address = email is not None and links.is_new(account, email)
    if email is not None and is_new_address:
        _change_email(actor, account, email)
    elif email is not None:
        account.email = email
    flush()
    if is_new_address:
        links.request_confirmation(account)
    return account


def hold(account_id: int) -> None:
    """Lock the account until the transaction ends, to change its dependent rows. Its version stays the same."""
    queries.hold(account_id)


def touch(account_id: int, *, expected_version: int | None = None) -> Account:
    """Lock the account, increment its version and return it. Raises NotFound, or Stale for another version."""
    account = queries.hold(account_id)
    if expected_version is not None and account.version != expected_version:
        raise Stale("This has changed since you loaded it. Load it again, then repeat your change.")
    account.version += 1
    db.session.flush()
    changes.announce_account(account_id)
    return account


def flush() -> None:
    """Flush pending accounts; unique constraints decide races. Raises Invalid for the account that lost."""
    try:
        db.session.flush()
    except IntegrityError as error:
        constraint = error.orig.diag.constraint_name if isinstance(error.orig, UniqueViolation) else None
        if constraint not in TAKEN:
            raise
        field, message = TAKEN[constraint]
        raise refusal({field: [message]}) from error


def refusal(wrong: Mapping[str, list[str]]) -> Invalid:
    """Return the error that names these fields; the code is a field's own when it is the only one."""
    field = next(iter(wrong))
    return Invalid(f"{field}: {wrong[field][0]}", code=CODES.get(field) if len(wrong) == 1 else None, errors=wrong)


def record_change(
    actor: Actor,
    account: Account,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
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
    params = {"change": phrase(f"changes.{action}"), "username": account.username, "account_id": account.id}
    notify_many([Note(other, KIND, params=params) for other in db.session.execute(others).scalars()])


def _change_email(actor: Actor, account: Account, email: str) -> None:
    """Change the email of an account. Admins must have confirmed their password recently, else FreshSignInNeeded.

    The session is looked at again now that the account is locked: an undo of an earlier change may have ended it.
    """
    sessions.require_open(actor)
    if account.role == Role.ADMIN:
        sign_in.require_fresh_sign_in(actor)
    email_changes.refuse_taken(account, email)
    email_changes.protect(account)
    change = {"before": {"email": account.email}, "after": {"email": email}}
    account.email, account.email_key = email, links.key_of(email)
    account.email_confirmed_at, account.email_changed_at = None, now()
    record_change(actor, account, "account_email_changed", **change)


def _wrong_fields(new: NewAccount) -> Wrong:
    """Return all conflicts of a sign-up with existing accounts. Unique constraints decide races afterwards."""
    wrong: Wrong = {}
    if queries.has_username(text.key(new.username)):
        wrong["username"] = [USERNAME]
    if not current_settings().email_confirmation and queries.email_owner(text.key(new.email)) is not None:
        wrong["email"] = [EMAIL]
    if problem := password_rules.problem(new.password, username=new.username, email=new.email):
        wrong["password"] = [problem]
    if db.session.get(Place, new.pincode) is None:
        wrong["pincode"] = ["This pincode does not exist."]
    return wrong
