"""A digest replaces messages about new requests beyond an hourly limit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, select, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.domain.notifications.messages import phrase
from backend.domain.notifications.models import Delivery, Notification

OF: Final = "request_new"
KIND: Final = "requests_waiting"
HOUR: Final = timedelta(hours=1)
LONGEST_QUIET: Final = timedelta(days=1)
SLACK: Final = timedelta(seconds=30)  # transactions started within the hour end within this
ONE_BY_ONE: Final = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('request_new:' || id, 0)) FROM unnest(CAST(:ids AS bigint[])) AS id
""")

OVER_LIMIT: Final = text("""
    SELECT account_id FROM deliveries
     WHERE account_id = ANY(CAST(:ids AS bigint[])) AND kind = :of AND position = 0 AND created_at > :earliest
       AND coalesce(not_before, created_at) > :since
     GROUP BY account_id HAVING count(*) >= :limit
""")


def over_limit(account_ids: Iterable[int]) -> set[int]:
    """Return the accounts that reached the hourly limit of messages about new requests.

    An advisory lock per account is held until the transaction ends, so that concurrent requests do not both count
    below the limit. Locks are taken in order of the ids, and after all other locks, to avoid deadlocks.
    """
    limit, ids = current_settings().request_messages_an_hour, sorted(set(account_ids))
    if not limit or not ids:
        return set()
    db.session.execute(ONE_BY_ONE, {"ids": ids}).all()
    since = now() - HOUR
    values = {"ids": ids, "of": OF, "earliest": since - LONGEST_QUIET, "since": since, "limit": limit}
    return set(db.session.execute(OVER_LIMIT, values).scalars())


def due_at() -> datetime:
    """Return when the next digest is sent: after the full hour, so that there is one an hour."""
    return now().replace(minute=0, second=0, microsecond=0) + HOUR + SLACK


def params(digest: Delivery) -> dict[str, object]:
    """Return the values of a digest's text: how many unread requests it covers. Empty when there are none."""
    has_message = exists().where(Delivery.notification_id == Notification.id)
    since = datetime.fromisoformat(str(digest.params["since"]))
    statement = select(func.count()).where(
        Notification.account_id == digest.account_id,
        Notification.kind == OF,
        Notification.read_at.is_(None),
        Notification.created_at >= since,
        ~has_message,
    )
    number = int(db.session.execute(statement).scalar_one())
    if not number:
        return {}
    return {"more": phrase("more_requests", n=number), "limit": current_settings().request_messages_an_hour}
