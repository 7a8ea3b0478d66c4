"""Statistics for the admin dashboard."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import Bound, DateRange, date_range
from backend.core.db.session import db
from backend.domain.market import settings as market

PEOPLE: Final = text("""
    SELECT role, count(*) AS total,
           count(*) FILTER (WHERE blocked_at IS NOT NULL) AS blocked,
           count(*) FILTER (WHERE created_at >= :starts AND created_at < :ends) AS joined
      FROM accounts GROUP BY role
""")

PROFESSIONALS: Final = text("""
    SELECT p.approval, p.stars, count(*) AS total, min(p.since) AS oldest,
           count(*) FILTER (WHERE p.approval_expires_at < :soon) AS expiring
      FROM (SELECT approval, approval_expires_at, coalesce(approval_changed_at, a.created_at) AS since,
                   CASE WHEN rating_count > 0 THEN rating_sum / rating_count ELSE 0 END AS stars
              FROM professionals JOIN accounts a ON a.id = account_id) p
     GROUP BY GROUPING SETS ((p.approval), (p.stars))
""")

WAITING: Final = text("""
    SELECT count(*) AS total, min(created_at) AS oldest,
           count(*) FILTER (WHERE created_at < :impatient) AS unanswered,
           count(*) FILTER (WHERE date_of_request < :tomorrow) AS due_soon,
           (SELECT count(*) FROM task_requests
             WHERE status = 'accepted' AND busy << tstzrange(:now, NULL)) AS overdue
      FROM task_requests WHERE status = 'requested'
""")

# Each part is an index-only scan with hashing; GROUPING SETS would sort all rows, many of them on disk.
# Rows are assigned to steps by precomputed boundaries, at a tenth of the cost of converting each row's time zone.
CREATED: Final = text("""
    WITH days AS (
        SELECT width_bucket(created_at, CAST(:steps AS timestamptz[])) AS step, status, count(*) AS total
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends GROUP BY 1, 2
    ), by_task AS (
        SELECT task_id, count(*) AS total, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE status = 'expired') AS expired
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         GROUP BY task_id ORDER BY total DESC, task_id LIMIT :shown
    ), by_pincode AS (
        SELECT pincode, count(*) AS total, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE status = 'expired') AS expired
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         GROUP BY pincode ORDER BY total DESC, pincode LIMIT :shown
    )
    SELECT step, status, NULL AS task_id, NULL AS task_name, NULL AS pincode, NULL AS locality, NULL AS district,
           total, NULL AS cancelled, NULL AS expired
      FROM days
     UNION ALL
    SELECT NULL, NULL, b.task_id, t.name, NULL, NULL, NULL, b.total, b.cancelled, b.expired
      FROM by_task b JOIN tasks t ON t.id = b.task_id
     UNION ALL
    SELECT NULL, NULL, NULL, NULL, b.pincode, p.locality, p.district, b.total, b.cancelled, b.expired
      FROM by_pincode b LEFT JOIN places p ON p.pincode = b.pincode
     ORDER BY total DESC, task_id, pincode
""")

CLOSED: Final = text("""
    WITH days AS (
        SELECT width_bucket(closed_at, CAST(:steps AS timestamptz[])) AS step, count(*) AS total,
               coalesce(sum(price) FILTER (WHERE currency = :currency), 0) AS value
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends GROUP BY 1
    ), by_task AS (
        SELECT task_id, count(*) AS total, coalesce(sum(price) FILTER (WHERE currency = :currency), 0) AS value
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends
         GROUP BY task_id ORDER BY value DESC, task_id LIMIT :shown
    )
    SELECT step, NULL AS task_id, NULL AS task_name, total, value FROM days
     UNION ALL
    SELECT NULL, b.task_id, t.name, b.total, b.value FROM by_task b JOIN tasks t ON t.id = b.task_id
     ORDER BY value DESC, task_id
""")

JOBS: Final = text("""
    SELECT count(*) AS waiting,
           (SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL) AS failed,
           min(run_at) FILTER (WHERE run_at <= :now) AS oldest,
           (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS deliveries_waiting,
           (SELECT count(*) FROM deliveries WHERE state = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS deliveries_failed,
           (SELECT count(*) FROM job_runs WHERE status = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS runs_failed
      FROM jobs WHERE done_at IS NULL AND dead_at IS NULL
""")

DAYS_BY_DEFAULT: Final = 30
DAYS_SHOWN_ONE_BY_ONE: Final = 184  # half a year: a chart of more bars is a haze of hairlines
SHOWN: Final = 10
STATES: Final = ("requested", "accepted", "completed", "closed", "cancelled", "expired")
APPROVALS: Final = ("document_missing", "pending", "approved", "rejected", "expired")
EXPIRING_WITHIN: Final = timedelta(days=30)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DashboardRange:
    """The range, its first and last day in the marketplace's time zone, and the step of its series: day or month."""

    span: DateRange
    first: date
    last: date

    @property
    def step(self) -> str:
        return "day" if (self.last - self.first).days < DAYS_SHOWN_ONE_BY_ONE else "month"

    def steps(self) -> Iterator[date]:
        """Return every step of the series, including empty ones."""
        day = self.first if self.step == "day" else self.first.replace(day=1)
        while day <= self.last:
            yield day
            day = (
                day + timedelta(days=1)
                if self.step == "day"
                else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            )

    def moments(self, zone: ZoneInfo) -> list[datetime]:
        """Return the start of each step in the marketplace's time zone, correct across clock changes."""
        return [datetime.combine(day, time.min, tzinfo=zone) for day in self.steps()]


def dashboard_range(first: Bound | None, last: Bound | None, *, now: datetime, zone: ZoneInfo) -> DashboardRange:
    """Return the range, by default the last thirty days. Raises Invalid if it ends before it starts."""
    end: Bound = last if last is not None else max(now.astimezone(zone).date(), _day(first or now, zone))
    begin: Bound = first if first is not None else _day(end, zone) - timedelta(days=DAYS_BY_DEFAULT - 1)
    return DashboardRange(date_range(begin, end, zone=zone), _day(begin, zone), _day(end, zone))


def statistics(*, first: Bound | None = None, last: Bound | None = None) -> dict[str, Any]:
    """Return all statistics. Those of a range count requests by creation (with their current state) or closing.

    Raises Invalid when the span ends before it begins.
    """
    moment = now()
    days = dashboard_range(first, last, now=moment, zone=current_settings().zone)
    values = {
        "starts": days.span.starts,
        "ends": days.span.ends,
        "now": moment,
        "tomorrow": moment + timedelta(days=1),
        "soon": moment + EXPIRING_WITHIN,
        "currency": current_settings().market_currency,
        "steps": days.moments(current_settings().zone),
        "shown": SHOWN,
        "impatient": moment - timedelta(minutes=market.get().answer_within_minutes),
    }
    created, jobs = _rows(CREATED, values), _rows(JOBS, values)[0]
    return {
        "generated_at": moment,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "step": days.step,
        "currency": current_settings().market_currency,
        "approvals": _approvals(professionals := _rows(PROFESSIONALS, values)),
        "professionals_by_rating": _ratings(professionals),
        "people": _people(_rows(PEOPLE, values)),
        "waiting": _rows(WAITING, values)[0],
        "requests_by_status": _by_status(created),
        "requests_by_day": _by_day(created, days),
        "cancellations": _cancellations(created),
        "top_tasks": _top(created, "task_id", ("task_id", "task_name", "total", "cancelled", "expired")),
        "top_pincodes": _top(created, "pincode", ("pincode", "locality", "district", "total", "cancelled", "expired")),
        "closed_work": _closed(_rows(CLOSED, values), days),
        "jobs": {**jobs, "parked": jobs["failed"]},  # the former name of the field
    }


def _day(edge: Bound, zone: ZoneInfo) -> date:
    return edge.astimezone(zone).date() if isinstance(edge, datetime) else edge


def _rows(statement: TextClause, values: Mapping[str, object]) -> list[Row]:
    wanted = {name: value for name, value in values.items() if name in statement.compile().params}
    return [dict(row) for row in db.session.execute(statement, wanted).mappings()]


def _approvals(rows: Iterable[Row]) -> dict[str, object]:
    found = {row["approval"]: row for row in rows if row["approval"] is not None}
    pending, approved = found.get("pending"), found.get("approved")
    return {
        "waiting": pending["total"] if pending else 0,
        "oldest": pending["oldest"] if pending else None,
        "expiring": approved["expiring"] if approved else 0,
        "by_state": {state: found[state]["total"] if state in found else 0 for state in APPROVALS},
    }


def _ratings(rows: Iterable[Row]) -> list[dict[str, int]]:
    """Return how many professionals have each number of full stars; 0 means no review."""
    found = {int(row["stars"]): row["total"] for row in rows if row["stars"] is not None}
    return [{"stars": stars, "professionals": found.get(stars, 0)} for stars in range(6)]


def _people(rows: Iterable[Row]) -> dict[str, object]:
    found = {row["role"]: row for row in rows}
    return {
        f"{role}s": {name: found[role][name] if role in found else 0 for name in ("total", "blocked", "joined")}
        for role in ("customer", "professional")
    }


def _by_status(rows: Iterable[Row]) -> dict[str, int]:
    totals = dict.fromkeys(STATES, 0)
    for row in rows:
        if row["step"] is not None:
            totals[row["status"]] += row["total"]
    return totals


def _by_day(rows: Iterable[Row], days: DashboardRange) -> list[dict[str, object]]:
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    for row in rows:
        if row["step"] is not None:
            found[row["step"]][row["status"]] = row["total"]
    return [{"day": day.isoformat(), **found[step]} for step, day in enumerate(days.steps(), 1)]


def _cancellations(rows: Iterable[Row]) -> dict[str, object]:
    """Return how many requests of the range were cancelled or expired, and their share."""
    totals = _by_status(rows)
    made = sum(totals.values())
    lost = totals["cancelled"] + totals["expired"]
    share = round(lost / made, 4) if made else 0.0
    return {"requests": made, "cancelled": totals["cancelled"], "expired": totals["expired"], "share": share}


def _top(rows: Iterable[Row], key: str, names: tuple[str, ...]) -> list[dict[str, object]]:
    return [{name: row[name] for name in names} for row in rows if row[key] is not None]


def _closed(rows: Sequence[Row], days: DashboardRange) -> dict[str, object]:
    by_step = {row["step"]: row for row in rows if row["step"] is not None}
    nothing = {"total": 0, "value": Decimal(0)}
    series = [(day, by_step.get(step, nothing)) for step, day in enumerate(days.steps(), 1)]
    return {
        "total": sum(row["total"] for row in by_step.values()),
        "value": sum((row["value"] for row in by_step.values()), Decimal(0)),
        "by_day": [{"day": day.isoformat(), "total": row["total"], "value": row["value"]} for day, row in series],
        "top_tasks": _top(rows, "task_id", ("task_id", "task_name", "total", "value")),
    }
