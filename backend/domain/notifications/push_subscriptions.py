"""Devices that receive web push: one subscription of one browser, for as long as its session lasts."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, Select, bindparam, column, delete, func, select, table
from sqlalchemy.dialects.postgresql import insert

from backend.core import http_client, web_push
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.pagination import Page, Window, after, cut, decode_cursor, order
from backend.core.db.session import db
from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.security.authz import Actor
from backend.core.web_push import BrowserKeys
from backend.domain.live_updates.changes import announce_preferences
from backend.domain.notifications.models import PushSubscription

MOST: Final = 10
SCOPE: Final = "push_subscriptions"
NEWEST: Final = ((PushSubscription.created_at, True), (PushSubscription.id, True))
# Sessions are in a layer above this one. A device whose session ended (signed out, blocked) must show nothing more.
SESSIONS: Final = table("sessions", column("id"), column("user_agent"), column("ended_at"), column("expires_at"))


class Device(NamedTuple):
    """A device as its owner sees it."""

    id: int
    endpoint: str
    session_id: str
    user_agent: str | None
    created_at: datetime

    @property
    def provider(self) -> str:
        """Return the host of the push service."""
        return urlsplit(self.endpoint).hostname or ""


class Subscription(NamedTuple):
    """A subscription that a message can be sent to."""

    id: int
    endpoint: str
    p256dh: str
    auth: str
    server_key: str


def is_offered() -> bool:
    """Return whether this installation sends web push."""
    return bool(current_settings().push_allowed_hosts)


def require_offered() -> None:
    """Raise Conflict where this installation sends no web push."""
    if not is_offered():
        raise Conflict("Push notifications are not set up. Choose another channel.", code="push_not_set_up")


def subscribe(actor: Actor, *, endpoint: str, keys: BrowserKeys) -> Device:
    """Store a browser's subscription for the actor's session; a repeated call updates it.

    A subscription that another account made in the same browser becomes the actor's. Beyond ``MOST`` devices the
    oldest ones are removed. Raises Conflict where web push is not set up, Invalid for a push service that is not
    allowed and for invalid keys.
    """
    require_offered()
    try:
        http_client.check(endpoint, allowed=current_settings().push_allowed_hosts)
    except http_client.NotAllowed as error:
        raise Invalid.field("endpoint", str(error)) from error
    for name, problem in web_push.check_keys(keys).items():
        raise Invalid.field(f"keys.{name}", problem)
    values = {
        "account_id": actor.account_id,
        "session_id": actor.session_id,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "server_key": web_push.server_keys()[0].public,
        "created_at": now(),
    }
    row = insert(PushSubscription).values(endpoint=endpoint, **values)
    stored = row.on_conflict_do_update(index_elements=["endpoint"], set_=values).returning(PushSubscription.id)
    subscription_id = db.session.execute(stored).scalar_one()
    _drop_oldest(actor.account_id)
    announce_preferences(actor.account_id)
    found = db.session.execute(_devices(actor.account_id).where(PushSubscription.id == subscription_id))
    return Device._make(found.one())


def page(account_id: int, *, window: Window) -> Page[Device]:
    """Return a page of the account's devices, newest first."""
    statement = _devices(account_id)
    if window.cursor:
        statement = statement.where(after(NEWEST, decode_cursor(SCOPE, window.cursor, length=len(NEWEST))))
    rows = db.session.execute(statement.order_by(*order(NEWEST)).limit(window.limit + 1)).all()
    found = [Device._make(row) for row in rows]
    return cut(found, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id))


def remove(actor: Actor, *, subscription_id: int) -> None:
    """Remove one of the actor's devices. Raises NotFound."""
    gone = delete(PushSubscription).where(
        PushSubscription.id == subscription_id, PushSubscription.account_id == actor.account_id
    )
    if db.session.execute(gone.returning(PushSubscription.id)).one_or_none() is None:
        raise NotFound("Device not found.")
    announce_preferences(actor.account_id)


def usable(account_id: int) -> list[Subscription]:
    """Return the subscriptions that messages to the account are sent to, newest first."""
    rows = db.session.execute(_usable(), {"account_id": account_id}).all()
    return [Subscription._make(row) for row in rows]


def drop(ids: Sequence[int]) -> None:
    """Delete subscriptions that their push service no longer knows."""
    gone = delete(PushSubscription).where(PushSubscription.id.in_(ids)).returning(PushSubscription.account_id)
    for account_id in db.session.execute(gone.execution_options(synchronize_session=False)).scalars():
        announce_preferences(account_id)


@cache
def _usable() -> Select[int, str, str, str, str]:
    return (
        select(
            PushSubscription.id,
            PushSubscription.endpoint,
            PushSubscription.p256dh,
            PushSubscription.auth,
            PushSubscription.server_key,
        )
        .join(SESSIONS, SESSIONS.c.id == PushSubscription.session_id)
        .where(
            PushSubscription.account_id == bindparam("account_id", type_=BigInteger),
            SESSIONS.c.ended_at.is_(None),
            SESSIONS.c.expires_at > func.now(),
        )
        .order_by(*order(NEWEST))
        .limit(MOST)
    )


def _devices(account_id: int) -> Select[int, str, str, str | None, datetime]:
    return (
        select(
            PushSubscription.id,
            PushSubscription.endpoint,
            PushSubscription.session_id,
            SESSIONS.c.user_agent,
            PushSubscription.created_at,
        )
        .join(SESSIONS, SESSIONS.c.id == PushSubscription.session_id)
        .where(
            PushSubscription.account_id == account_id,
            SESSIONS.c.ended_at.is_(None),
            SESSIONS.c.expires_at > func.now(),
        )
    )


def _drop_oldest(account_id: int) -> None:
    mine = PushSubscription.account_id == account_id
    oldest = select(PushSubscription.id).where(mine).order_by(*order(NEWEST)).offset(MOST)
    gone = delete(PushSubscription).where(PushSubscription.id.in_(oldest.scalar_subquery()))
    db.session.execute(gone.execution_options(synchronize_session=False))
