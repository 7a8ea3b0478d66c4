"""Count failed sign-ins by account, network and known device."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, delete, insert, or_, select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import advisory_lock, db
from backend.core.errors import TooMany
from backend.core.security import signing
from backend.core.security.client_networks import WIDE_FACTOR, prefixes
from backend.domain.accounts.models import Account, SignInFailure

# Stand in for the address, so that these attempts do not count against it.
OWN_DEVICE: Final = "known device"
OWN_SESSION: Final = "session"
DEVICE_PURPOSE: Final = "devices"
DEVICE_LIFETIME: Final = timedelta(days=180)
MOST_ACCOUNTS: Final = 4  # remembered per device, such as those of a family; the latest are kept
MAX_COOKIE: Final = 2000


@dataclass(frozen=True, slots=True)
class Attempt:
    """The keys under which an attempt is counted: the account, and the origin."""

    account_key: str
    address: str
    network: str | None = None

    @property
    def has_own_count(self) -> bool:
        """Return whether the attempt is from a known device or a session of the account, and counted separately."""
        return self.address in (OWN_DEVICE, OWN_SESSION)


def sign_in_attempt(
    account: Account | None, name_key: str, address: str | None, *, device_cookie: str | None = None
) -> Attempt:
    """Return the keys of an attempt: those of the account, or of the unknown name.

    Attempts from a known device of the account are counted separately.
    """
    where = prefixes(address)
    if account is None:
        digest = hashlib.sha256(name_key.encode("utf-8", "replace")).hexdigest()
        return Attempt(digest, where.near, where.wide)
    device = recognised(device_cookie, account.id)
    if device is not None:
        return Attempt(f"{_key(account.id)}:{device}", OWN_DEVICE)
    return Attempt(_key(account.id), where.near, where.wide)


def confirmation_attempt(account_id: int, session_id: str | None) -> Attempt:
    """Return the key under which a password confirmation is counted: the session alone.

    Failed sign-ins of strangers must not block a signed-in owner, and the thief of a session must neither
    guess without limit nor lock the owner out elsewhere.
    """
    return Attempt(f"{_key(account_id)}:session:{session_id}", OWN_SESSION)


def check(attempt: Attempt) -> None:
    """Raise TooMany while a limit is reached, even for the correct password.

    Attempts for one account are serialised, so that concurrent ones cannot pass before they are counted.
    """
    advisory_lock(f"sign_in:{attempt.account_key}")
    row = db.session.execute(select(*(_nth_latest(which, number) for which, number in _limits(attempt)))).one()
    reached = [at for at in row if at is not None]
    if reached:
        wait = (max(reached) + _window() - now()).total_seconds()
        raise TooMany(
            "Too many failed sign-in attempts. Wait for the time given in Retry-After, or reset your password.",
            code="too_many_tries",
            retry_after=max(1, ceil(wait)),
        )


def count(attempt: Attempt) -> None:
    """Record a failed attempt. The caller must commit although the call fails."""
    db.session.execute(
        insert(SignInFailure).values(
            account_key=attempt.account_key, address=attempt.address, network=attempt.network, at=now()
        )
    )


def forget(account_id: int) -> None:
    """Clear an account's failed attempts after its owner proved more than a password."""
    key = _key(account_id)
    own = or_(SignInFailure.account_key == key, SignInFailure.account_key.startswith(f"{key}:", autoescape=True))
    db.session.execute(delete(SignInFailure).where(own).execution_options(synchronize_session=False))


def drop_expired(limit: int = 500) -> int:
    """Delete up to ``limit`` failures that no longer count, and return how many."""
    old = select(SignInFailure.id).where(SignInFailure.at < now() - _window()).order_by(SignInFailure.at).limit(limit)
    gone = delete(SignInFailure).where(SignInFailure.id.in_(old.scalar_subquery())).returning(SignInFailure.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def recognised(cookie: str | None, account_id: int) -> str | None:
    """Return the id of the device if this account signed in on it before, else None."""
    for token in _tokens(cookie):
        account, _, rest = token.partition(".")
        if account == str(account_id):
            return _device(token, rest)
    return None


def remember(cookie: str | None, account_id: int) -> str:
    """Return the cookie's next value, after this account signed in on the device. The device keeps its id."""
    device = recognised(cookie, account_id) or secrets.token_urlsafe(12)
    token = signing.signer(DEVICE_PURPOSE).sign(f"{account_id}.{device}.{int(now().timestamp())}").decode()
    others = [token for token in _tokens(cookie) if not token.startswith(f"{account_id}.")]
    return "~".join([token, *others][:MOST_ACCOUNTS])


def _key(account_id: int) -> str:
    return f"account:{account_id}"


def _limits(attempt: Attempt) -> Iterator[tuple[ColumnElement[bool], int]]:
    """Yield each condition that counts failures, with its limit."""
    settings = current_settings()
    this_account, here = (
        SignInFailure.account_key == attempt.account_key,
        SignInFailure.address == attempt.address,
    )
    yield this_account & here, settings.login_failures_per_account_and_address
    if attempt.has_own_count:
        return
    yield this_account, settings.login_failures_per_account
    yield here, settings.login_failures_per_address
    if attempt.network is not None:
        yield SignInFailure.network == attempt.network, settings.login_failures_per_address * WIDE_FACTOR


def _nth_latest(which: ColumnElement[bool], number: int) -> ScalarSelect[datetime]:
    recent = select(SignInFailure.at).where(which, SignInFailure.at > now() - _window())
    return recent.order_by(SignInFailure.at.desc()).offset(number - 1).limit(1).scalar_subquery()


def _window() -> timedelta:
    return timedelta(minutes=current_settings().login_window_minutes)


def _tokens(cookie: str | None) -> list[str]:
    return cookie.split("~") if cookie and len(cookie) <= MAX_COOKIE and cookie.isascii() else []


def _device(token: str, rest: str) -> str | None:
    try:
        device, since, _ = rest.split(".")
        age = now().timestamp() - int(since)
    except ValueError:
        return None
    is_ours = signing.signer(DEVICE_PURPOSE).validate(token)
    return device if is_ours and age <= DEVICE_LIFETIME.total_seconds() else None
