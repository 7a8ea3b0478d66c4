"""Sessions, one per sign-in. Refresh tokens rotate, and reuse of an old one ends the session."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Text, bindparam, delete, exists, func, insert, select, text, union, update
from sqlalchemy.dialects.postgresql import UUID

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import positions, read_pool
from backend.core.db.session import TIMESTAMP, db, execute_together
from backend.core.errors import Forbidden, NotFound, Unauthenticated
from backend.core.observability import security_log
from backend.core.observability.security_log import Event
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import links
from backend.domain.accounts.models import Account, Session
from backend.domain.accounts.queries import COLUMNS, AccountRow
from backend.domain.live_updates import changes

# A response that is lost on its way is missed after 8 s and asked for again; two tabs may refresh at the same time.
REUSE_GRACE: Final = timedelta(seconds=30)
BLOCKED: Final = "This account is blocked. Contact support."
ENDED: Final = "This session has ended. Sign in again."
NOT_YOURS: Final = "Session not found."
SEEN_EVERY: Final = timedelta(minutes=5)
# A professional's approval is read here as plain SQL: their table lies in a layer above this one. The session of a
# blocked account has ended, yet its holder is told of the block.
ACTOR_QUERY: Final = text("""
    SELECT a.role, a.blocked_at IS NOT NULL AS is_blocked,
           s.ended_at IS NOT NULL AS has_ended,
           a.blocked_at IS NULL AND (a.role <> 'professional' OR (
               p.approval = 'approved' AND (p.approval_expires_at IS NULL OR p.approval_expires_at > now())
           )) AS is_active,
           a.last_seen_at IS NULL OR a.last_seen_at < :stale AS visit_is_due,
           coalesce(s.proven_at, s.created_at) AS proven_at,
           a.password_expires_at IS NOT NULL AS must_change_password,
           coalesce(a.language, 'en') AS language
      FROM sessions s
      JOIN accounts a ON a.id = s.account_id
      LEFT JOIN professionals p ON p.account_id = a.id
     WHERE s.id = CAST(:session_id AS uuid) AND s.account_id = :account_id AND s.expires_at > now()
       AND (s.ended_at IS NULL OR s.end_reason = 'blocked')
""")


class _SessionState(NamedTuple):
    """A session and its account, in the order of the statement's columns."""

    role: str
    is_blocked: bool
    has_ended: bool
    is_active: bool
    visit_is_due: bool
    proven_at: datetime
    must_change_password: bool
    language: str


_locked: Final = (
    select(*COLUMNS, Account.password_expires_at)
    # compared with the row as it is once it is locked
    .where(Account.id == bindparam("account_id"), Account.password_hash == bindparam("password_hash"))
    .with_for_update(key_share=True)
    .cte("locked")
)
_VALUES: Final = {
    "id": bindparam("session_id", type_=UUID(as_uuid=False)),
    "account_id": _locked.c.id,
    "client": bindparam("client", type_=Text),
    "current_jti": bindparam("token_id", type_=Text),
    "created_at": bindparam("started", type_=TIMESTAMP),
    "last_used_at": bindparam("started", type_=TIMESTAMP),
    "expires_at": bindparam("expires_at", type_=TIMESTAMP),
    "user_agent": bindparam("user_agent", type_=Text),
    "address": bindparam("address", type_=Text),
}
_inserted: Final = insert(Session).from_select(list(_VALUES), select(*_VALUES.values())).cte("inserted")
START: Final = read_pool.compiled(select(*_locked.c).add_cte(_inserted))
SEEN: Final = text("""
    UPDATE accounts SET last_seen_at = :now
     WHERE id = (SELECT id FROM accounts WHERE id = :account_id FOR NO KEY UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Issued:
    """The content of new tokens. ``seconds_left`` is the remaining lifetime of the session if unused."""

    account_id: int
    role: str
    session_id: str
    jti: str
    client: str
    access_seconds: int
    seconds_left: int


@dataclass(frozen=True, slots=True)
class Device:
    """The origin of a sign-in, as shown in the list of sessions."""

    client: str = "browser"
    user_agent: str | None = None
    address: str | None = None
    cookie: str | None = None  # of a device that was signed in on before; see ``devices``


class Started(NamedTuple):
    """A new session and its account as it stands now; ``password_expires_at`` is None for a password of its own."""

    account: AccountRow
    password_expires_at: datetime | None
    issued: Issued


def start(account_id: int, password_hash: str, device: Device) -> Started | None:
    """Create a session and lock the account, in one statement; None if this is no longer the account's password.

    Hashing is slow: a change, a reset or a block may have happened since the hash was read, and none of them must leave
    a session that was started with the old password. Concurrent calls wait for the lock.
    """
    started = now()
    expires_at, session_id, token_id = _expiry(started), str(uuid.uuid4()), str(uuid.uuid4())
    values = {
        "session_id": session_id,
        "account_id": account_id,
        "password_hash": password_hash,
        "client": device.client,
        "token_id": token_id,
        "started": started,
        "expires_at": expires_at,
        "user_agent": (device.user_agent or "")[:300] or None,
        "address": device.address,
    }
    found = execute_together((START.sql, {**START.values, **values}))
    if not found:
        return None
    *row, password_expires_at = found[0]
    account = AccountRow._make(row)
    positions.need([positions.of_account(account.id)])  # the account may have signed up just now
    changes.announce_sessions([account.id])
    issued = Issued(
        account_id=account.id,
        role=account.role,
        session_id=session_id,
        jti=token_id,
        client=device.client,
        access_seconds=current_settings().access_token_minutes * 60,
        seconds_left=_seconds_left(expires_at),
    )
    return Started(account, password_expires_at, issued)


def rotate(*, session_id: str, jti: str) -> Issued:
    """Return new tokens for a refresh token.

    A token that was replaced ends the whole session (RFC 9700, 4.14.2), except for the previous one within
    REUSE_GRACE: it gets the current tokens again.

    Raises:
        Unauthenticated: The session has ended.
        Forbidden: The account is blocked.
        ReusedToken: A replaced token came back; the caller has to end the session.
    """
    row = db.session.execute(
        select(Session, Account.role, Account.blocked_at)
        .join(Account, Account.id == Session.account_id)
        .where(Session.id == session_id)
        .with_for_update(of=Session)
    ).one_or_none()
    if row is None or min(row[0].expires_at, _expiry(row[0].created_at)) <= now():
        raise Unauthenticated(ENDED, code="session_ended")
    session, role, blocked_at = row
    if blocked_at is not None and session.end_reason in (None, "blocked"):
        raise Forbidden(BLOCKED, code="account_blocked")
    if session.ended_at is not None:
        raise Unauthenticated(ENDED, code="session_ended")
    if jti == session.current_jti:
        session.previous_jti, session.current_jti = session.current_jti, str(uuid.uuid4())
        session.rotated_at = session.last_used_at = now()
        session.expires_at = _expiry(session.created_at)
    elif not (jti == session.previous_jti and session.rotated_at and now() - session.rotated_at <= REUSE_GRACE):
        raise ReusedToken(session.id)
    db.session.flush()
    changes.announce_sessions([session.account_id])
    return _issued(session, role)


class ReusedToken(Unauthenticated):
    """A replaced refresh token was used again, so it may have been stolen."""

    code = "session_ended"
    security_event = Event.TOKEN_REUSED

    def __init__(self, session_id: str) -> None:
        super().__init__(ENDED)
        self.session_id = session_id


def end(*, session_id: str, reason: str) -> None:
    """End a session; both its tokens are invalid from the next call on."""
    _end(Session.id == session_id, reason=reason)


def end_own(actor: Actor, *, session_id: str) -> None:
    """End one of the actor's own sessions. Raises NotFound for others."""
    try:
        known = str(uuid.UUID(session_id))
    except ValueError:
        raise NotFound(NOT_YOURS) from None
    mine = select(Session.id).where(
        Session.id == known, Session.account_id == actor.account_id, Session.ended_at.is_(None)
    )
    if db.session.execute(mine).scalar_one_or_none() is None:
        raise NotFound(NOT_YOURS)
    end(session_id=known, reason="signed_out")


def end_all(*, account_id: int, reason: str, but: str | None = None) -> int:
    """End every session of an account, or all but one; return how many were open."""
    condition = Session.account_id == account_id
    return _end(condition & (Session.id != but) if but else condition, reason=reason)


def end_everywhere(actor: Actor) -> None:
    """Sign out on every device.

    Open password reset links are invalidated too, because the user may have lost more than a device.
    """
    links.use_up(actor.account_id, "password_reset")
    end_all(account_id=actor.account_id, reason="signed_out")


def _end(condition: ColumnElement[bool], *, reason: str) -> int:
    statement = update(Session).where(condition, Session.ended_at.is_(None))
    ending = statement.values(ended_at=func.now(), end_reason=reason).returning(Session.id, Session.account_id)
    ended = db.session.execute(ending.execution_options(synchronize_session=False)).all()
    changes.announce_sign_out(session_id for session_id, _ in ended)
    changes.announce_sessions({account_id for _, account_id in ended})
    for session_id, account_id in ended:
        security_log.note(Event.SESSION_ENDED, account_id=account_id, session_id=session_id, reason=reason)
    return len(ended)


def note_proof(actor: Actor) -> None:
    """Record that this session has just confirmed the password."""
    statement = update(Session).where(Session.id == actor.session_id, Session.ended_at.is_(None))
    db.session.execute(statement.values(proven_at=now()).execution_options(synchronize_session=False))


def actor_of(*, session_id: str, account_id: int, address: str | None) -> Actor:
    """The account behind a session, as it stands now, in one query before the call's own transaction begins.

    Raises Unauthenticated when the session ended, Forbidden for a blocked account. Writes that a block must not miss
    lock the account and look again.
    """
    parameters = {"session_id": session_id, "account_id": account_id, "stale": now() - SEEN_EVERY}
    found = read_pool.one_or_none(ACTOR_QUERY, parameters)
    row = None if found is None else _SessionState._make(found)
    if row is not None and row.is_blocked:
        raise Forbidden(BLOCKED, code="account_blocked")
    if row is None or row.has_ended:
        raise Unauthenticated(ENDED, code="session_ended")
    return Actor(
        id=account_id,
        role=Role(row.role),
        is_active=row.is_active,
        address=address,
        session_id=session_id,
        visit_is_due=row.visit_is_due,
        proven_at=row.proven_at,
        must_change_password=row.must_change_password,
        language=row.language,
    )


def require_open(actor: Actor) -> None:
    """Raise Unauthenticated if the actor's session has ended since the call started."""
    if actor.session_id is None:
        return
    is_open = select(exists().where(Session.id == actor.session_id, Session.ended_at.is_(None)))
    if not db.session.execute(is_open).scalar_one():
        raise Unauthenticated(ENDED, code="session_ended")


def note_visit(actor: Actor) -> None:
    """Record the visit. Call it last in a call, because other calls lock the same row first."""
    db.session.execute(SEEN, {"now": now(), "account_id": actor.account_id})


def _expiry(started: datetime) -> datetime:
    """Return when a session used now expires: when unused, and at its absolute lifetime."""
    settings = current_settings()
    return min(now() + timedelta(days=settings.refresh_token_days), started + timedelta(days=settings.session_max_days))


def _issued(session: Session, role: str) -> Issued:
    return Issued(
        account_id=session.account_id,
        role=role,
        session_id=session.id,
        jti=session.current_jti,
        client=session.client,
        access_seconds=current_settings().access_token_minutes * 60,
        seconds_left=_seconds_left(session.expires_at),
    )


def _seconds_left(expires_at: datetime) -> int:
    return max(1, int((expires_at - now()).total_seconds()))


def drop_old_sessions(limit: int = 500) -> int:
    """Delete up to ``limit`` sessions that ended or expired long ago, and return how many."""
    before = now() - timedelta(days=current_settings().sessions_keep_days)
    ended = select(Session.id).where(Session.ended_at < before).order_by(Session.ended_at).limit(limit)
    ran_out = select(Session.id).where(Session.expires_at < before).order_by(Session.expires_at).limit(limit)
    # Each part has its own index; an OR of both would scan the whole table.
    old = union(ended.subquery().select(), ran_out.subquery().select()).limit(limit)
    gone = delete(Session).where(Session.id.in_(old.scalar_subquery())).returning(Session.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())
