"""Failed sign-ins, counted in PostgreSQL so that every process counts the same; a limit passes by itself."""

import hashlib
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, ScalarSelect, delete, insert, select

from backend.core.clock import now
from backend.core.config import current
from backend.core.database import db, take_turns
from backend.core.errors import TooMany
from backend.domain.accounts.models import Account, SignInFailure

UNKNOWN_ADDRESS = "unknown"


def key_of(account: Account | None, name_key: str) -> str:
    """What tries are counted for: an account under any of its names, or a name that nobody has."""
    return f"account:{account.id}" if account else hashlib.sha256(name_key.encode("utf-8", "replace")).hexdigest()


def check(account_key: str, address: str | None) -> None:
    """Let a try pass, or raise TooMany until the window has room again, the right password included.

    Tries for one account are taken one after the other: many at once must not slip through before they are counted.
    """
    take_turns(f"sign_in:{account_key}")
    settings = current()
    here = SignInFailure.address == (address or UNKNOWN_ADDRESS)
    this_account = SignInFailure.account_key == account_key
    limits = (
        (this_account & here, settings.login_failures_per_account_and_address),
        (this_account, settings.login_failures_per_account),
        (here, settings.login_failures_per_address),
    )
    row = db.session.execute(select(*(_nth_latest(which, number) for which, number in limits))).one()
    reached = [at for at in row if at is not None]
    if reached:
        wait = (max(reached) + _window() - now()).total_seconds()
        raise TooMany(
            "Too many failed tries. Wait, then try again, or ask for a new password.",
            code="too_many_tries",
            retry_after=max(1, ceil(wait)),
        )


def count(account_key: str, address: str | None) -> None:
    """Remember a failed try. The caller has to commit although it answers with an error."""
    db.session.execute(
        insert(SignInFailure).values(account_key=account_key, address=address or UNKNOWN_ADDRESS, at=now())
    )


def drop_expired() -> int:
    """Delete failures that count no more; returns how many."""
    old = delete(SignInFailure).where(SignInFailure.at < now() - _window())
    return len(db.session.execute(old.returning(SignInFailure.id)).all())


def _nth_latest(which: ColumnElement[bool], number: int) -> ScalarSelect[datetime]:
    recent = select(SignInFailure.at).where(which, SignInFailure.at > now() - _window())
    return recent.order_by(SignInFailure.at.desc()).offset(number - 1).limit(1).scalar_subquery()


def _window() -> timedelta:
    return timedelta(minutes=current().login_window_minutes)
