"""Reminders of accepted visits to both sides: the evening before, and two hours before."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import day_start
from backend.core.db.session import db
from backend.core.failpoints import failpoint
from backend.domain.market import settings as market
from backend.domain.notifications.create import Note, notify_many

EVENING: Final = "request_due_tomorrow"
SOON: Final = "request_due_soon"
AHEAD: Final = timedelta(hours=2)
BATCH: Final = 1000
# One row per account, kind and occasion decides who is reminded, however many run this at once. The occasion is the
# visit's day or its time: one that moves within a day, or finds another professional, does not remind the same account
# of it again. Who accepts after a reminder was due needs none. Requests that someone changes just now come next time.
# From the first reminder on, which the request notes without a new version, it can be confirmed as on time.
DUE: Final = text("""
  WITH visits AS (
       SELECT r.id, r.customer_id, r.professional_id, r.task_name, r.date_of_request, r.pincode,
              CASE WHEN r.date_of_request <= :soon_until THEN :soon ELSE :evening END AS kind,
              CASE WHEN r.date_of_request <= :soon_until THEN r.date_of_request ELSE :tomorrow END AS occasion
         FROM task_requests r
        WHERE r.status = 'accepted' AND r.date_of_request > :now AND r.date_of_request < :day_after
          AND r.arrived_at IS NULL AND r.started_at IS NULL
          AND (   (r.date_of_request <= :soon_until AND r.accepted_at < r.date_of_request - :ahead)
               OR (:is_evening AND r.date_of_request >= :tomorrow AND r.date_of_request > :soon_until
                   AND r.accepted_at < :evening_at))
          AND NOT EXISTS (SELECT 1 FROM visit_reminders v
                           WHERE v.request_id = r.id AND v.account_id = r.professional_id
                             AND v.kind = CASE WHEN r.date_of_request <= :soon_until THEN :soon ELSE :evening END
                             AND v.occasion = CASE WHEN r.date_of_request <= :soon_until
                                                   THEN r.date_of_request ELSE :tomorrow END)
        ORDER BY r.date_of_request LIMIT :batch
          FOR NO KEY UPDATE OF r SKIP LOCKED
     ), sides AS (
       SELECT id, customer_id AS account_id, kind, occasion FROM visits
        UNION ALL SELECT id, professional_id, kind, occasion FROM visits
     ), noted AS (
       INSERT INTO visit_reminders (request_id, account_id, kind, occasion)
       SELECT id, account_id, kind, occasion FROM sides ORDER BY id, account_id
           ON CONFLICT DO NOTHING RETURNING request_id, account_id
     ), reminded AS (
       UPDATE task_requests r SET reminded_at = :now
         FROM noted n
        WHERE r.id = n.request_id AND r.professional_id = n.account_id AND r.reminded_at IS NULL
     )
SELECT n.account_id, v.id, v.kind, v.task_name, v.date_of_request, v.pincode, n.account_id = v.customer_id,
       c.firstname, p.firstname, d.compname
  FROM noted n
  JOIN visits v ON v.id = n.request_id
  JOIN accounts c ON c.id = v.customer_id
  JOIN accounts p ON p.id = v.professional_id
  JOIN professionals d ON d.account_id = v.professional_id
 ORDER BY v.id, n.account_id
""")
OLD: Final = text("""
  DELETE FROM visit_reminders
   WHERE (request_id, account_id, kind, occasion) IN (
         SELECT request_id, account_id, kind, occasion FROM visit_reminders
          WHERE occasion < :before ORDER BY occasion LIMIT :batch)
""")
KEPT: Final = timedelta(days=30)


class _Row(NamedTuple):
    account_id: int
    request_id: int
    kind: str
    task: str
    date: datetime
    pincode: str
    is_customer: bool
    customer: str
    professional: str
    compname: str


def send(limit: int = BATCH) -> int:
    """Notify both sides of the visits whose reminders are due, and return how many notifications were written.

    Does nothing while the setting ``visit_reminders`` is off.
    """
    settings = market.get()
    if settings.visit_reminders != "on":
        return 0
    at, zone = now(), current_settings().zone
    today = at.astimezone(zone).date()
    evening_at = datetime.combine(today, settings.reminder_at, tzinfo=zone)
    values = {
        "now": at,
        "ahead": AHEAD,
        "soon_until": at + AHEAD,
        "is_evening": at >= evening_at,
        "evening_at": evening_at,
        "tomorrow": day_start(today + timedelta(days=1), zone),
        "day_after": day_start(today + timedelta(days=2), zone),
        "evening": EVENING,
        "soon": SOON,
        "batch": limit,
    }
    rows = [_Row._make(row) for row in db.session.execute(DUE, values)]
    failpoint("visit_reminders.noted")
    notify_many([_note(row) for row in rows])
    return len(rows)


def drop_old(limit: int = BATCH) -> None:
    """Forget reminders of visits long past."""
    db.session.execute(OLD, {"before": now() - KEPT, "batch": limit})


def _note(row: _Row) -> Note:
    params: dict[str, object] = {"task": row.task, "date": row.date, "valid_until": row.date}
    if row.is_customer:
        params["professional"] = f"{row.professional} ({row.compname})"
    else:
        params |= {"customer": row.customer, "pincode": row.pincode}
    return Note(row.account_id, row.kind, row.request_id, params)
