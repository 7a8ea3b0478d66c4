"""Count failed sign-ins by account, network and known device."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from typing import Final

from sqlalchemy import ColumnElement, Integer, ScalarSelect, bindparam, delete, insert, or_, select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.read_pool import Compiled
from backend.core.db.session import ADVISORY_LOCK, TIMESTAMP, db, execute_together
from backend.core.errors import TooMany
from backend.core.security import signing
from backend.core.security.client_networks import WIDE_FACTOR, prefixes
from backend.domain.accounts.models import SignInFailure

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
    account_id: int | None, name_key: str, address: str | None, *, device_cookie: str | None = None
) -> Attempt:
    """Return the keys of an attempt: those of the account, or of the unknown name.

    Attempts from a known device of the account are counted separately.
    """
    where = prefixes(address)
    if account_id is None:
        digest = hashlib.sha256(name_key.encode("utf-8", "replace")).hexdigest()
        return Attempt(digest, where.near, where.wide)
    device = recognised(device_cookie, account_id)
    if device is not None:
        return Attempt(f"{_key(account_id)}:{device}", OWN_DEVICE)
    return Attempt(_key(account_id), where.near, where.wide)


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
    name = f"sign_in:{attempt.account_key}"
    statement = _latest(has_own_count=attempt.has_own_count, has_network=attempt.network is not None)
    # The second one begins, and sees what was committed, only after the first has got the lock.
    (row,) = execute_together(
        (ADVISORY_LOCK, {"name": name}), (statement.sql, {**statement.values, **_counted_by(attempt)})
    )
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


@cache
def _latest(*, has_own_count: bool, has_network: bool) -> Compiled:
    """Return the statement for the failures that reach each limit: NULL where fewer were counted."""
    this_account = SignInFailure.account_key == bindparam("account_key")
    here = SignInFailure.address == bindparam("address")
    reaching = [_nth_latest(this_account & here, "per_account_and_address")]
    if not has_own_count:
        reaching += [_nth_latest(this_account, "per_account"), _nth_latest(here, "per_address")]
        if has_network:
            reaching.append(_nth_latest(SignInFailure.network == bindparam("network"), "per_network"))
    return read_pool.compiled(select(*reaching))


def _nth_latest(which: ColumnElement[bool], limit: str) -> ScalarSelect[datetime]:
    recent = select(SignInFailure.at).where(which, SignInFailure.at > bindparam("since", type_=TIMESTAMP))
    return recent.order_by(SignInFailure.at.desc()).offset(bindparam(limit, type_=Integer)).limit(1).scalar_subquery()


def _counted_by(attempt: Attempt) -> dict[str, object]:
    """Return the parameters of :func:`_latest`. The failure that reaches a limit is found after one less."""
    settings = current_settings()
    return {
        "account_key": attempt.account_key,
        "address": attempt.address,
        "network": attempt.network,
        "since": now() - _window(),
        "per_account_and_address": settings.login_failures_per_account_and_address - 1,
        "per_account": settings.login_failures_per_account - 1,
        "per_address": settings.login_failures_per_address - 1,
        "per_network": settings.login_failures_per_address * WIDE_FACTOR - 1,
    }


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
