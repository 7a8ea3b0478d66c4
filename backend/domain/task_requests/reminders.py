"""The recipients of daily reminders and their requests: thousands of professionals in one query."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional

DAILY_FOR_DAYS: Final = 7
WEEKLY_UNTIL_DAYS: Final = 30
SHOWN: Final = 5
ID: Final = Professional.account_id
WORKING: Final = Professional.approval == Approval.APPROVED.value
# A request is open to the requested professional or, if open to all, to those who offer the task and serve the place:
# their own, those that they list, and those within the radius around their own. The distance is that of earth_distance,
# written out: its types check themselves at every step, and cost ten times as much.
BATCH: Final = text("""
WITH people AS MATERIALIZED (
    SELECT a.id, coalesce(a.last_seen_at, a.created_at) AS seen, a.pincode, p.radius_km * 1000 AS reach,
           radians(pl.latitude) AS latitude, radians(pl.longitude) AS longitude,
           CASE WHEN pl.latitude IS NOT NULL
                THEN earth_box(ll_to_earth(pl.latitude, pl.longitude), p.radius_km * 1000) END AS around
      FROM professionals p
      JOIN accounts a ON a.id = p.account_id
      JOIN places pl ON pl.pincode = a.pincode
     WHERE p.account_id > :after AND p.account_id <= :until AND p.approval = 'approved' AND a.blocked_at IS NULL
), served AS MATERIALIZED (
    SELECT p.id, p.pincode FROM people p
    UNION
    SELECT p.id, s.pincode FROM people p JOIN professional_pincodes s ON s.account_id = p.id
    UNION
    SELECT p.id, pl.pincode
      FROM people p
      JOIN places pl ON pl.latitude IS NOT NULL
       AND p.around @> ll_to_earth(pl.latitude, pl.longitude)
       AND sin((radians(pl.latitude) - p.latitude) / 2) ^ 2 + cos(p.latitude) * cos(radians(pl.latitude))
           * sin((radians(pl.longitude) - p.longitude) / 2) ^ 2 <= sin(p.reach / earth() / 2) ^ 2
), does AS MATERIALIZED (
    SELECT p.id, t.task_id FROM people p JOIN professional_tasks t ON t.account_id = p.id
), waiting AS MATERIALIZED (
    SELECT id, task_id, pincode, date_of_request, asked_professional_id,
           asked_professional_id IS NULL OR coalesce(asked_until <= :now, false) AS is_open
      FROM task_requests
     WHERE status = 'requested' AND date_of_request > :now
), pairs AS (
    SELECT p.id AS account_id, w.id AS request_id, w.date_of_request
      FROM people p JOIN waiting w ON w.asked_professional_id = p.id
    UNION
    SELECT s.id, w.id, w.date_of_request
      FROM served s
      JOIN waiting w ON w.pincode = s.pincode AND w.is_open
      JOIN does d ON d.id = s.id AND d.task_id = w.task_id
), ranked AS (
    SELECT account_id, request_id, count(*) OVER (PARTITION BY account_id) AS total,
           row_number() OVER (PARTITION BY account_id ORDER BY date_of_request, request_id) AS place
      FROM pairs
     WHERE NOT EXISTS (SELECT 1 FROM request_rejections j
                        WHERE j.professional_id = pairs.account_id AND j.request_id = pairs.request_id)
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
  FROM people p LEFT JOIN summed s ON s.account_id = p.id
 ORDER BY p.id
""")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate. ``wanted``: there is a reason for a reminder; ``due``: and none was sent too recently."""

    account_id: int
    waiting: int
    shown: list[dict[str, Any]]
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
    return [_candidate(row, day=day) for row in db.session.execute(BATCH, values)]


def _candidate(row: Any, *, day: date) -> Candidate:
    away = days_away(row.seen, day=day)
    wanted = row.waiting > 0 or away > 0
    due = wanted and is_due(away, reminded_this_week=row.this_week)
    return Candidate(row.id, row.waiting, row.shown, wanted, due)


def days_away(seen: datetime, *, day: date) -> int:
    """Return the days since the last visit in the marketplace's time zone; 0 on the same day."""
    return max(0, (day - seen.astimezone(current_settings().zone).date()).days)


def is_due(days: int, *, reminded_this_week: bool) -> bool:
    """Return whether a reminder is due: daily for a week, then weekly for a month, then none until the next visit."""
    if days <= DAILY_FOR_DAYS:
        return True
    return days <= WEEKLY_UNTIL_DAYS and not reminded_this_week
