"""Reliability statistics for admins: how often users cancel or release."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db import pagination
from backend.core.db.date_range import DateRange
from backend.core.db.pagination import Page, Window
from backend.core.db.session import db

USUAL: Final = timedelta(days=90)
SCOPE: Final = "reliability"
# Counted from an index alone; details are read of the users shown.
OFTEN: Final = text("""
WITH counted AS (
    SELECT actor_id AS account_id, actor_role AS role, count(*) AS times
      FROM request_events
     WHERE action IN ('cancel', 'release') AND at >= :starts AND at < :ends
       AND actor_role IN ('customer', 'professional')
       AND (CAST(:role AS text) IS NULL OR actor_role = :role)
       AND (CAST(:account_id AS bigint) IS NULL OR actor_id = :account_id)
     GROUP BY actor_id, actor_role
    HAVING count(*) >= :least
       AND (CAST(:times AS bigint) IS NULL OR (count(*), actor_id) < (:times, :last))
     ORDER BY times DESC, account_id DESC
     LIMIT :limit
)
SELECT c.account_id, c.role, a.firstname, a.lastname, d.cancelled, d.cancelled_late, d.released, c.times, d.latest
  FROM counted c
  JOIN accounts a ON a.id = c.account_id
 CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE action = 'cancel') AS cancelled,
           count(*) FILTER (WHERE action = 'cancel' AND (changes ->> 'late')::boolean) AS cancelled_late,
           count(*) FILTER (WHERE action = 'release') AS released, max(at) AS latest
      FROM request_events
     WHERE action IN ('cancel', 'release') AND at >= :starts AND at < :ends
       AND actor_id = c.account_id AND actor_role = c.role
 ) d
 ORDER BY c.times DESC, c.account_id DESC
""")


@dataclass(frozen=True, slots=True)
class ReliabilityFilters:
    """Filters; the default range is the last 90 days."""

    dates: DateRange
    role: str | None = None
    account_id: int | None = None
    least: int = 2


class Reliability(NamedTuple):
    """How often an account cancelled or released requests, and when last."""

    account_id: int
    role: str
    firstname: str
    lastname: str
    cancelled: int
    cancelled_late: int
    released: int
    times: int
    latest: datetime


def page(*, filters: ReliabilityFilters, window: Window) -> Page[Reliability]:
    """Return a page of users by how often they cancelled or released, most often first."""
    times, last = None, None
    if window.cursor is not None:
        times, last = pagination.decode_cursor(SCOPE, window.cursor, length=2)
    rows = db.session.execute(
        OFTEN,
        {
            "starts": filters.dates.starts or _usual_start(filters.dates.ends),
            "ends": filters.dates.ends or now(),
            "role": filters.role,
            "account_id": filters.account_id,
            "least": filters.least,
            "times": times,
            "last": last,
            "limit": window.limit + 1,
        },
    )
    found = [Reliability._make(row) for row in rows]
    return pagination.cut(found, window=window, scope=SCOPE, values=lambda row: (row.times, row.account_id))


def _usual_start(ends: datetime | None) -> datetime:
    return (ends or now()) - USUAL
