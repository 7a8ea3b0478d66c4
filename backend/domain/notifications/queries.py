"""Reading one's notifications."""

from typing import Any, Final

from sqlalchemy import func, select

from backend.core.database import db
from backend.core.pagination import Page, Window, after, cut, decode_cursor, order
from backend.domain.notifications.models import Notification

NEWEST: Final = ((Notification.created_at, True), (Notification.id, True))
COLUMNS: Final = (
    Notification.id,
    Notification.kind,
    Notification.title,
    Notification.body,
    Notification.request_id,
    Notification.read_at,
    Notification.created_at,
)


def page(account_id: int, *, unread: bool | None, window: Window) -> Page[Any]:
    """One's own notifications, newest first; only those unread (or read), if so wanted."""
    statement = select(*COLUMNS).where(Notification.account_id == account_id)
    if unread is not None:
        statement = statement.where(Notification.read_at.is_(None) if unread else Notification.read_at.is_not(None))
    if window.cursor:
        statement = statement.where(after(NEWEST, decode_cursor("notifications", window.cursor, length=2)))
    rows: list[Any] = list(db.session.execute(statement.order_by(*order(NEWEST)).limit(window.limit + 1)))
    return cut(rows, window=window, scope="notifications", values=lambda row: (row.created_at, row.id))


def unread_count(account_id: int) -> int:
    """How many one has not read."""
    unread = select(func.count()).where(Notification.account_id == account_id, Notification.read_at.is_(None))
    return db.session.execute(unread).scalar_one()
