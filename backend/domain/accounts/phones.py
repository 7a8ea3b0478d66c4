"""Verification of phone numbers by a code, before any other SMS is sent to them."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select, update

from backend.core.clock import now
from backend.core.db.session import advisory_lock, db
from backend.core.errors import Conflict, Invalid, TooMany
from backend.core.security import signing
from backend.core.security.authz import Actor
from backend.domain.accounts import actions, queries
from backend.domain.accounts.models import Account, PhoneCode
from backend.domain.notifications import sms_limits
from backend.domain.notifications.channels import sms
from backend.domain.notifications.create import send_account_sms

PURPOSE: Final = "phone_code"
DIGITS: Final = 6
LIFE: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
PAUSE: Final = timedelta(seconds=30)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
PER_ACCOUNT: Final = ((1, PAUSE), (5, HOUR), (10, DAY))
PER_PHONE: Final = ((1, PAUSE), (5, HOUR), (10, DAY))
PER_ADDRESS: Final = ((30, HOUR), (100, DAY))
UNKNOWN_ADDRESS: Final = "unknown"


class WrongCode(Invalid):
    """A wrong code. It was counted, so the caller must commit although the call fails."""

    code = "wrong_code"


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a code was sent, and when it expires."""

    phone: str
    expires_at: datetime


def send_code(actor: Actor) -> Sent:
    """Send a code to the account's phone number and invalidate earlier codes.

    Raises Conflict where there is nothing to verify or no SMS can go there, TooMany beyond the limits of the account,
    the number, the client's address and in total.
    """
    account = queries.get(actor.account_id)
    phone, address = account.phone, actor.address or UNKNOWN_ADDRESS
    if phone is None:
        raise Conflict("Your account has no phone number. Add one first.", code="no_phone")
    if account.phone_verified_at is not None:
        raise Conflict("Your phone number is already verified.", code="already_verified")
    if why := sms.why_not(phone, is_verified=True):
        raise Conflict(f"A code cannot be sent to {phone}. {why.message}", code=why.code)
    _check_limits(account.id, phone, address)
    at = now()
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    signature = signing.signer(PURPOSE).get_signature(_signed(account.id, phone, code))
    values = {"account_id": account.id, "phone": phone, "code_hash": signature}
    values |= {"address": address, "created_at": at, "expires_at": at + LIFE}
    db.session.execute(insert(PhoneCode).values(values))
    params = {"code": code, "minutes": LIFE // timedelta(minutes=1), "send_to": phone, "valid_until": at + LIFE}
    send_account_sms(account.id, "phone_code", params)
    return Sent(phone, at + LIFE)


def confirm(actor: Actor, *, code: str) -> Account:
    """Verify the account's phone number by the code that was sent last; returns the account.

    Every guess is counted before it is compared, in one statement, so that concurrent guesses cannot bypass the limit.
    Raises WrongCode, Invalid for a code that is too old or of another number, TooMany after too many wrong ones.
    """
    is_last = (PhoneCode.account_id == actor.account_id, PhoneCode.used_at.is_(None), PhoneCode.expires_at > now())
    last = select(PhoneCode.id).where(*is_last).order_by(PhoneCode.id.desc()).limit(1).scalar_subquery()
    counted = update(PhoneCode).where(PhoneCode.id == last, *is_last).values(tries=PhoneCode.tries + 1)
    row = db.session.execute(
        counted.returning(PhoneCode.tries, PhoneCode.phone, PhoneCode.code_hash).execution_options(
            synchronize_session=False
        )
    ).one_or_none()
    if row is None:
        raise _expired()
    if row.tries > MOST_TRIES:
        raise TooMany(
            "Too many wrong codes. Request a new one.", code="too_many_tries", retry_after=int(PAUSE.total_seconds())
        )
    if not signing.signer(PURPOSE).verify_signature(_signed(actor.account_id, row.phone, code), bytes(row.code_hash)):
        message = "This code is incorrect. Check the SMS and try again."
        raise WrongCode(f"code: {message}", errors={"code": [message]})
    account = actions.touch(actor.account_id)
    if account.phone != row.phone:
        raise _expired()
    account.phone_verified_at = now()
    used = update(PhoneCode).where(PhoneCode.account_id == account.id, PhoneCode.used_at.is_(None))
    db.session.execute(used.values(used_at=now()).execution_options(synchronize_session=False))
    db.session.flush()
    return account


def drop_old_codes(limit: int = 500) -> int:
    """Delete codes that count against no limit any more, so many at a time; return how many."""
    old = select(PhoneCode.id).where(PhoneCode.created_at < now() - DAY).order_by(PhoneCode.created_at)
    gone = delete(PhoneCode).where(PhoneCode.id.in_(old.limit(limit).scalar_subquery())).returning(PhoneCode.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _check_limits(account_id: int, phone: str, address: str) -> None:
    """Raise TooMany beyond a limit. Calls for the same account, number or address are serialised."""
    counted: dict[str, tuple[ColumnElement[bool], tuple[tuple[int, timedelta], ...]]] = {
        f"account:{account_id}": (PhoneCode.account_id == account_id, PER_ACCOUNT),
        f"address:{address}": (PhoneCode.address == address, PER_ADDRESS),
        f"phone:{phone}": (PhoneCode.phone == phone, PER_PHONE),
    }
    for name in counted:  # always in this order of kinds, so that no two callers wait for each other
        advisory_lock(f"phone_code:{name}")
    nth_latest = [
        select(PhoneCode.created_at + period)
        .where(which, PhoneCode.created_at > now() - period)
        .order_by(PhoneCode.created_at.desc())
        .offset(number - 1)
        .limit(1)
        .scalar_subquery()
        for which, limits in counted.values()
        for number, period in limits
    ]
    ends = [at for at in db.session.execute(select(*nth_latest)).one() if at is not None]
    if ends:
        wait = ceil((max(ends) - now()).total_seconds())
        raise TooMany("Too many codes were requested. Wait a while, then try again.", retry_after=max(1, wait))
    if sms_limits.is_used_up():
        raise TooMany("No more SMS can be sent today. Try again tomorrow.", code="sms_limit_reached", retry_after=3600)


def _expired() -> Invalid:
    return Invalid.field("code", "This code has expired. Request a new one.", code="code_expired")


def _signed(account_id: int, phone: str, code: str) -> str:
    """Return what is signed: a plain digest of six digits could be reversed by trying them all."""
    return f"{account_id}:{phone}:{code}"
