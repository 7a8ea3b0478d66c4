"""Sign-in, change and reset of passwords, and recent password confirmation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import update

from backend.core import text
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Forbidden, Invalid, Unauthenticated
from backend.core.queue import Topic, enqueue
from backend.core.security import password_hashing
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import actions, email_changes, links, password_rules, queries, sessions, throttle
from backend.domain.accounts.models import Account
from backend.domain.notifications.create import send_account_mail

TEMPORARY_LIFETIME: Final = timedelta(hours=72)
EXPIRED_MESSAGE: Final = (
    "This temporary password has expired. Request a password reset with POST /password/forgot, or ask "
    "the site operator for a new one."
)
WRONG_MESSAGE: Final = "The username or password is incorrect."
FRESH_LIFETIME: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """The address for which a password reset link was requested."""

    email: str


RESET_TOPIC: Final = Topic("account.reset_link", ResetRequest)


class WrongCredentials(Unauthenticated):
    """A failed sign-in. It was counted, so the caller must commit although the call fails."""

    code = "invalid_credentials"


class WrongPassword(Invalid):
    """The current password was wrong. It was counted, so the caller must commit although the call fails."""

    code = "wrong_password"


class FreshSignInNeeded(Unauthenticated):
    """The session is valid, but its last password confirmation is too old for this call."""

    code = "fresh_sign_in_needed"
    title = "Confirm your password"


@password_hashing.queued
def sign_in(*, username: str, password: str, device: sessions.Device) -> sessions.Started:
    """Authenticate by username (or email) and password.

    Raises TooMany after too many failed tries, WrongCredentials (the same, at the same cost, for unknown names),
    Forbidden when the password is right but the account is blocked (``account_blocked``), or the password was issued
    to it and not used in time (``password_expired``).
    """
    account_id, password_hash = queries.credentials(username) or (None, None)
    attempt = throttle.sign_in_attempt(account_id, text.key(username), device.address, device_cookie=device.cookie)
    throttle.check(attempt)
    hasher = password_hashing.current_hasher()
    if not hasher.matches(password_hash, password) or account_id is None or password_hash is None:
        throttle.count(attempt)
        raise WrongCredentials(WRONG_MESSAGE)
    started = sessions.start(account_id, password_hash, device)
    if started is None:
        raise WrongCredentials(WRONG_MESSAGE)
    if started.account.blocked_at is not None:
        raise Forbidden("This account is blocked. Contact support.", code="account_blocked")
    if started.password_expires_at is not None and started.password_expires_at <= now():
        raise Forbidden(EXPIRED_MESSAGE, code="password_expired")
    if hasher.is_outdated(password_hash):
        renewed = update(Account).where(Account.id == account_id).values(password_hash=hasher.hash(password))
        db.session.execute(renewed.execution_options(synchronize_session=False))
    return started


@password_hashing.queued
def change_password(actor: Actor, *, current_password: str, password: str) -> None:
    """Change the actor's password, end all other sessions and invalidate open reset links.

    Raises:
        WrongPassword: The current password was wrong.
        TooMany: There were too many wrong attempts.
        Invalid: The new password is easily guessed.
    """
    account = _proven(actor, current_password, field="current_password", new=password)
    links.use_up(account.id, "password_reset")
    sessions.end_all(account_id=account.id, reason="password_changed", but=actor.session_id)
    sessions.note_proof(actor)
    send_account_mail(account.id, "password_changed", {})
    actions.record_change(actor, account, "password_changed")


@password_hashing.queued
def confirm_password(actor: Actor, *, password: str) -> None:
    """Confirm the actor's password, for calls that require it. Raises WrongPassword, or TooMany after too many."""
    _proven(actor, password, field="password")
    sessions.note_proof(actor)


def forgot(email: str) -> None:
    """Request a password reset link.

    A worker checks whether an account has this address, so neither response nor duration reveals it.
    """
    enqueue(RESET_TOPIC, ResetRequest(email))


def mail_reset_link(email: str) -> None:
    """Send the reset link, if an account has this address or had it recently.

    It is sent to the recovery address, which is the previous one while a changed email can be changed back.
    """
    account = email_changes.account_by_email(email) if "@" in email else None
    if account is None:
        return
    to, key = email_changes.recovery_address(account)
    is_own = key == account.email_key
    if is_own and current_settings().email_confirmation and account.email_confirmed_at is None:
        return
    minutes = current_settings().reset_token_minutes
    link = links.make(account, "password_reset", life=timedelta(minutes=minutes), email_key=key)
    if link:
        params = {"link": link, "username": account.username, "minutes": minutes}
        send_account_mail(account.id, "password_reset", params if is_own else {**params, "send_to": to})


@password_hashing.queued
def reset(*, token: str, password: str, address: str | None = None) -> int:
    """Reset the password by a link, end sessions, invalidate other links and clear failed sign-ins.

    Returns:
        The account's id.

    Raises:
        Invalid: The link is invalid; or the password is easily guessed, which does not use up the link.
    """
    hashed = _hashed(links.require_open(token, "password_reset"), password)
    account, link = links.use(token, "password_reset")
    _, recovery_key = email_changes.recovery_address(account)
    links.require_mailed_to(link, recovery_key)
    links.use_up(account.id, "password_reset")
    account.password_hash, account.password_expires_at = hashed, None
    db.session.flush()
    throttle.forget(account.id)
    sessions.end_all(account_id=account.id, reason="password_reset")
    send_account_mail(account.id, "password_changed", {})
    owner = Actor(id=account.id, role=Role(account.role), address=address)
    actions.record_change(owner, account, "password_reset")
    return account.id


def issue_password(actor: Actor, account_id: int, password: str, *, is_shown: bool) -> Account:
    """Set an account's password for an operator, end its sessions and invalidate open reset links.

    ``is_shown``: the password was made up and shown, so that it must be changed at the first sign-in, within
    TEMPORARY_LIFETIME. Raises Invalid for a well-known one, NotFound.
    """
    hashed = _hashed(queries.get(account_id), password)
    account = queries.hold(account_id)
    account.password_hash = hashed
    account.password_expires_at = now() + TEMPORARY_LIFETIME if is_shown else None
    db.session.flush()
    links.use_up(account.id, "password_reset")
    throttle.forget(account.id)
    sessions.end_all(account_id=account.id, reason="password_reset")
    actions.record_change(actor, account, "admin_password_reset")
    return account


def require_fresh_sign_in(actor: Actor) -> None:
    """Require a session that signed in, or confirmed its password, within the last minutes.

    Commands and jobs pass, because they have no session to steal. Raises FreshSignInNeeded.
    """
    if actor.role is Role.SYSTEM:
        return
    if actor.proven_at is None or now() - actor.proven_at > FRESH_LIFETIME:
        raise FreshSignInNeeded(
            "This action requires your password. Send it to POST /me/confirm-password, then repeat the request."
        )


def _proven(actor: Actor, password: str, *, field: str, new: str | None = None) -> Account:
    """Return the actor's account, locked, when the password is its own; give it the ``new`` one if there is one."""
    account = queries.get(actor.account_id)
    attempt = throttle.confirmation_attempt(account.id, actor.session_id)
    throttle.check(attempt)
    is_right = password_hashing.current_hasher().matches(account.password_hash, password)
    hashed = _hashed(account, new) if is_right and new is not None else None  # slow, so it comes before the lock
    if not (is_right and _still_proves(account)):
        throttle.count(attempt)
        message = "Your current password is incorrect."
        raise WrongPassword(f"{field}: {message}", errors={field: [message]})
    if hashed is not None:
        account.password_hash, account.password_expires_at = hashed, None
        db.session.flush()
    return account


def _hashed(account: Account, password: str) -> str:
    """Return the hash of an account's new password. Raises Invalid if it is easily guessed."""
    if problem := password_rules.problem_for(account, password):
        raise Invalid.field("password", problem, code="password_well_known")
    return password_hashing.current_hasher().hash(password)


def _still_proves(account: Account) -> bool:
    """Lock the account, and return whether the password that was just found right still is.

    Hashing is slow: a change, a reset or a block may have happened meanwhile, and none of them must leave a
    session that was started with the old password. Concurrent calls wait for the lock.
    """
    proven = account.password_hash
    db.session.refresh(account, with_for_update={"key_share": True})
    return account.password_hash == proven
