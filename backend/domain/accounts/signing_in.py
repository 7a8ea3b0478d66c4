"""Proving who one is, and changing what one proves it with."""

from datetime import timedelta
from typing import Final

from sqlalchemy import update

from backend.core import passwords, text
from backend.core.authz import Actor
from backend.core.config import current
from backend.core.database import db
from backend.core.errors import Forbidden, Invalid, Unauthenticated
from backend.core.queue import enqueue
from backend.domain.accounts import known_passwords, links, queries, sessions, throttle
from backend.domain.accounts.models import Account
from backend.domain.notifications.actions import send_account_mail

RESET_TOPIC: Final = "account.reset_link"
NOT_RIGHT: Final = "The username or the password is not right."


class WrongCredentials(Unauthenticated):
    """A failed try, counted: the caller has to commit although it answers with this."""

    code = "invalid_credentials"


class WrongPassword(Invalid):
    """The present password was not right, counted: the caller has to commit although it answers with this."""

    code = "wrong_password"


@passwords.in_line
def sign_in(*, username: str, password: str, device: sessions.Device) -> tuple[Account, sessions.Issued]:
    """Prove who one is by name (or mail) and password.

    Raises TooMany after too many failed tries, WrongCredentials (the same, at the same cost, for unknown names),
    Forbidden ``account_blocked`` when the password is right but the account is blocked.
    """
    account = queries.by_login(username)
    tried = throttle.attempt(account, text.key(username), device.address, device_cookie=device.cookie)
    throttle.check(tried)
    if not passwords.current().matches(account.password_hash if account else None, password) or account is None:
        throttle.count(tried)
        raise WrongCredentials(NOT_RIGHT)
    if not _still_proves(account):
        raise WrongCredentials(NOT_RIGHT)
    if account.blocked_at is not None:
        raise Forbidden("This account is blocked. Ask the market's admins.", code="account_blocked")
    if passwords.current().is_outdated(account.password_hash):
        _keep(account.id, password)
    return account, sessions.start(account, device)


@passwords.in_line
def change_password(actor: Actor, *, current_password: str, password: str) -> None:
    """Change one's own password; all other sessions end.

    Raises WrongPassword, TooMany after too many wrong ones, Invalid for a well-known new one.
    """
    account = queries.get(actor.account_id)
    tried = throttle.attempt(account, account.username_key, actor.address)
    throttle.check(tried)
    is_right = passwords.current().matches(account.password_hash, current_password)
    if not (is_right and _still_proves(account)):
        throttle.count(tried)
        message = "This is not your present password."
        raise WrongPassword(f"current_password: {message}", errors={"current_password": [message]})
    set_password(account.id, password)
    sessions.end_all(account_id=account.id, reason="password_changed", but=actor.session_id)
    send_account_mail(account.id, "password_changed", {})


def forgot(email: str) -> None:
    """Ask for the mail with a link to choose a new password.

    A worker looks whether an account has this address: neither the answer nor how long it took tells anyone.
    """
    enqueue(RESET_TOPIC, {"email": email})


def mail_reset_link(email: str) -> None:
    """Mail the link, when an account has this address."""
    account = queries.by_login(email) if "@" in email else None
    if account is None or (current().email_confirmation and account.email_confirmed_at is None):
        return
    minutes = current().reset_token_minutes
    link = links.make(account, "password_reset", life=timedelta(minutes=minutes))
    if link:
        params = {"link": link, "username": account.username, "minutes": minutes}
        send_account_mail(account.id, "password_reset", params)


@passwords.in_line
def reset(*, token: str, password: str) -> int:
    """Choose a new password by a mailed link; all sessions end and failed tries are forgotten.

    Returns:
        The account's id.

    Raises:
        Invalid: The link does not work, or the password is well known.
    """
    account = links.use(token, "password_reset")
    set_password(account.id, password)
    throttle.forget(account.id)
    sessions.end_all(account_id=account.id, reason="password_reset")
    send_account_mail(account.id, "password_changed", {})
    return account.id


def set_password(account_id: int, password: str) -> None:
    """Give an account another password. Sessions are the caller's to end.

    Raises:
        Invalid: The password is easy to guess.
    """
    if problem := known_passwords.problem_for(queries.get(account_id), password):
        raise Invalid.field("password", problem, code="password_well_known")
    _keep(account_id, password)


def _keep(account_id: int, password: str) -> None:
    hashed = passwords.current().hash(password)
    db.session.execute(update(Account).where(Account.id == account_id).values(password_hash=hashed))


def _still_proves(account: Account) -> bool:
    """Whether the password that was just found right still is.

    Hashing takes its time: a change, a reset or a block may have come in between, and none of them must leave a
    session behind that the old password began. The row is held until the end, so that one which comes now waits.
    """
    proven = account.password_hash
    db.session.refresh(account, with_for_update={"key_share": True})
    return account.password_hash == proven
