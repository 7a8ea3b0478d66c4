"""The recipients of daily reminders and their requests: thousands of professionals in one query."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional
from backend.domain.professionals.service_area import home_columns, places_served
from backend.domain.task_requests.access import IS_OPEN_TO_ALL, IS_WAITING, has_rejected, is_excluded

DAILY_FOR_DAYS: Final = 7
WEEKLY_UNTIL_DAYS: Final = 30
SHOWN: Final = 5
ID: Final = Professional.account_id
WORKING: Final = Professional.approval == Approval.APPROVED.value
# A professional is reminded of requests that they see: those that they are asked for, and, of those open to all, the
# ones of their tasks in the places that they serve.
BATCH: Final = text(f"""
WITH working AS MATERIALIZED (
    SELECT a.id, coalesce(a.last_seen_at, a.created_at) AS seen, {home_columns("p", "home")}
      FROM professionals p
      JOIN accounts a ON a.id = p.account_id
      JOIN places home ON home.pincode = a.pincode
     WHERE p.account_id > :after AND p.account_id <= :until AND p.approval = 'approved' AND a.blocked_at IS NULL
), served AS MATERIALIZED (
    {places_served("working")}
), offers AS MATERIALIZED (
    SELECT s.id, s.pincode, t.task_id FROM served s JOIN professional_tasks t ON t.account_id = s.id
), pairs AS (
    SELECT p.id AS account_id, r.id AS request_id, r.date_of_request
      FROM working p JOIN task_requests r ON r.asked_professional_id = p.id AND {IS_WAITING}
    UNION
    SELECT o.id, r.id, r.date_of_request
      FROM offers o
      JOIN task_requests r
        ON r.task_id = o.task_id AND r.pincode = o.pincode AND {IS_WAITING} AND {IS_OPEN_TO_ALL}
       AND NOT {is_excluded("o.id")}
), ranked AS (
    SELECT account_id, request_id, count(*) OVER (PARTITION BY account_id) AS total,
           row_number() OVER (PARTITION BY account_id ORDER BY date_of_request, request_id) AS place
      FROM pairs
     WHERE NOT {has_rejected("pairs.account_id", "pairs.request_id")}
), summed AS (
    SELECT account_id, max(total) AS total,
           jsonb_agg(jsonb_build_object('id', r.id, 'task', r.task_name, 'date', r.date_of_request,
                                        'pincode', r.pincode) ORDER BY place) AS shown
      FROM ranked JOIN task_requests r ON r.id = request_id
     WHERE place <= :shown GROUP BY account_id
)
SELECT p.id, p.seen, coalesce(s.total, 0) AS waiting, coalesce(s.shown, '[]'::jsonb) AS shown,
       EXISTS (SELECT 1 FROM deliveries d
                WHERE d.account_id = p.id AND d.kind = 'reminder' AND d.subject > :week_ago AND d.subject < :day
              ) AS this_week
  FROM working p LEFT JOIN summed s ON s.account_id = p.id
 ORDER BY p.id
""")  # noqa: S608  # all parts are constants


class OpenRequest(NamedTuple):
    """An open request as a reminder shows it."""

    id: int
    task: str
    date: datetime
    pincode: str


class _Row(NamedTuple):
    id: int
    seen: datetime
    waiting: int
    shown: list[dict[str, str]]
    this_week: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate. ``wanted``: there is a reason for a reminder; ``due``: and none was sent too recently."""

    account_id: int
    waiting: int
    shown: list[OpenRequest]
    wanted: bool
    due: bool


def candidates(*, day: date, after: int, until: int) -> list[Candidate]:
    """Return the active professionals in a range of ids, each with their open requests."""
    values = {
        "after": after,
        "until": until,
        "now": now(),
        "shown": SHOWN,
        "day": day.isoformat(),
        "week_ago": (day - timedelta(days=7)).isoformat(),
    }
    db.session.execute(text("SET LOCAL statement_timeout = '60s'"))  # a cold cache must not make the job start over
    return [_candidate(_Row._make(row), day=day) for row in db.session.execute(BATCH, values)]


def _candidate(row: _Row, *, day: date) -> Candidate:
    away = days_away(row.seen, day=day)
    wanted = row.waiting > 0 or away > 0
    due = wanted and is_due(away, reminded_this_week=row.this_week)
    shown = [
        OpenRequest(int(one["id"]), one["task"], datetime.fromisoformat(one["date"]), one["pincode"])
        for one in row.shown
    ]
    return Candidate(row.id, row.waiting, shown, wanted, due)


def days_away(seen: datetime, *, day: date) -> int:
    """Return the days since the last visit in the marketplace's time zone; 0 on the same day."""
    return max(0, (day - seen.astimezone(current_settings().zone).date()).days)


def is_due(days: int, *, reminded_this_week: bool) -> bool:
    """Return whether a reminder is due: daily for a week, then weekly for a month, then none until the next visit."""
    if days <= DAILY_FOR_DAYS:
        return True
    return days <= WEEKLY_UNTIL_DAYS and not reminded_this_week
