"""Reading a user's notifications."""

from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select

from backend.core.db import read_pool
from backend.core.db.pagination import AnySelect, Page, SortKey, Window, cut, paged, position
from backend.domain.notifications.messages import choice_names, render
from backend.domain.notifications.models import Notification

NEWEST: Final[tuple[SortKey, ...]] = ((Notification.created_at, True), (Notification.id, True))
COLUMNS: Final = (
    Notification.id,
    Notification.kind,
    Notification.title,
    Notification.body,
    Notification.request_id,
    Notification.params,
    Notification.read_at,
    Notification.created_at,
)
SCOPE: Final = "notifications"
UNREAD: Final = select(func.count().label("number")).where(
    Notification.account_id == bindparam("account_id", type_=BigInteger), Notification.read_at.is_(None)
)


class NotificationRow(NamedTuple):
    """A notification as listed, in the order of COLUMNS."""

    id: int
    kind: str
    title: str | None
    body: str | None
    request_id: int | None
    params: dict[str, object]
    read_at: datetime | None
    created_at: datetime

    def texts(self, language: str) -> tuple[str, str]:
        """Return title and body in a language. Rows from before texts had languages keep their stored text."""
        if self.title is not None:
            return self.title, self.body or ""
        shown = render(self.kind, self.params, request_id=self.request_id, language=language)
        return shown.title, shown.body

    def choices(self, *, at: datetime) -> tuple[str, ...]:
        """Return what can be done about it at once, as long as the visit that it is about is to come."""
        until = self.params.get("valid_until")
        if until is None or datetime.fromisoformat(str(until)) <= at:
            return ()
        return choice_names(self.kind, self.params)


def page(account_id: int, *, unread: bool | None, window: Window) -> tuple[Page[NotificationRow], int]:
    """Return a page of the account's notifications, newest first, optionally only unread or read ones; and how many
    are unread in all.
    """
    parameters = {"account_id": account_id, **position(window, SCOPE, length=len(NEWEST))}
    rows = read_pool.rows(_page(unread=unread, goes_on=window.cursor is not None), parameters, behind=True)
    found = [NotificationRow._make(row[:-1]) for row in rows]
    number = rows[0][-1] if rows else unread_count(account_id)
    return cut(found, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id)), number


def unread_count(account_id: int) -> int:
    """Return the number of unread notifications."""
    [number] = read_pool.one(UNREAD, {"account_id": account_id}, behind=True)
    return int(number)


@cache
def _page(*, unread: bool | None, goes_on: bool) -> AnySelect:
    mine = Notification.account_id == bindparam("account_id", type_=BigInteger)
    # In the page's own statement, because a second one is a round trip. PostgreSQL counts once for all rows.
    number = UNREAD.correlate(None).scalar_subquery().label("unread")
    statement = select(*COLUMNS, number).where(mine)
    if unread is not None:
        statement = statement.where(Notification.read_at.is_(None) if unread else Notification.read_at.is_not(None))
    return paged(statement, NEWEST, goes_on=goes_on)
