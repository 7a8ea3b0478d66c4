"""Statistics for the admin dashboard."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import Bound, DateRange, date_range
from backend.core.db.session import db
from backend.domain.market import settings as market

ACCOUNTS: Final = text("""
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
TOP_TASK: Final = ("task_id", "task_name", "total", "cancelled", "expired")
TOP_PINCODE: Final = ("pincode", "locality", "district", "total", "cancelled", "expired")
TOP_CLOSED_TASK: Final = ("task_id", "task_name", "total", "value")
EXPIRING_WITHIN: Final = timedelta(days=30)
Row = TypeVar("Row")


class AccountCounts(NamedTuple):
    """Accounts of one role: all, blocked ones, and those created in the range."""

    role: str
    total: int
    blocked: int
    joined: int


class ProfessionalCounts(NamedTuple):
    """Professionals of one approval, or of one number of full stars; the other is None."""

    approval: str | None
    stars: int | None
    total: int
    oldest: datetime
    expiring: int


class RequestCounts(NamedTuple):
    """Requests of one step and status, of one task, or of one pincode; the rest is None."""

    step: int | None
    status: str
    task_id: int | None
    task_name: str | None
    pincode: str | None
    locality: str | None
    district: str | None
    total: int
    cancelled: int | None
    expired: int | None


class ClosedCounts(NamedTuple):
    """Closed requests of one step, or of one task; the other is None."""

    step: int | None
    task_id: int | None
    task_name: str | None
    total: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class DashboardRange:
    """The range, its first and last day in the marketplace's time zone, and the step of its series: day or month."""

    dates: DateRange
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

    def step_starts(self, zone: ZoneInfo) -> list[datetime]:
        """Return the start of each step in the marketplace's time zone, correct across clock changes."""
        return [datetime.combine(day, time.min, tzinfo=zone) for day in self.steps()]


def dashboard_range(first: Bound | None, last: Bound | None, *, now: datetime, zone: ZoneInfo) -> DashboardRange:
    """Return the range, by default the last thirty days. Raises Invalid if it ends before it starts."""
    end: Bound = last if last is not None else max(now.astimezone(zone).date(), _day(first or now, zone))
    begin: Bound = first if first is not None else _day(end, zone) - timedelta(days=DAYS_BY_DEFAULT - 1)
    return DashboardRange(date_range(begin, end, zone=zone), _day(begin, zone), _day(end, zone))


def statistics(*, first: Bound | None = None, last: Bound | None = None) -> dict[str, object]:
    """Return all statistics. Those of a range count requests by creation (with their current state) or closing.

    Raises:
        Invalid: The range ends before it starts.
    """
    at = now()
    days = dashboard_range(first, last, now=at, zone=current_settings().zone)
    values = {
        "starts": days.dates.starts,
        "ends": days.dates.ends,
        "now": at,
        "tomorrow": at + timedelta(days=1),
        "soon": at + EXPIRING_WITHIN,
        "currency": current_settings().market_currency,
        "steps": days.step_starts(current_settings().zone),
        "shown": SHOWN,
        "impatient": at - timedelta(minutes=market.get().answer_within_minutes),
    }
    created = _rows(RequestCounts._make, CREATED, values)
    professionals = _rows(ProfessionalCounts._make, PROFESSIONALS, values)
    jobs = _one(JOBS, values)
    return {
        "generated_at": at,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "step": days.step,
        "currency": current_settings().market_currency,
        "approvals": _approvals(professionals),
        "professionals_by_rating": _ratings(professionals),
        "people": _accounts(_rows(AccountCounts._make, ACCOUNTS, values)),
        "waiting": _one(WAITING, values),
        "requests_by_status": _by_status(created),
        "requests_by_day": _by_day(created, days),
        "cancellations": _cancellations(created),
        "top_tasks": [_columns(row, TOP_TASK) for row in created if row.task_id is not None],
        "top_pincodes": [_columns(row, TOP_PINCODE) for row in created if row.pincode is not None],
        "closed_work": _closed(_rows(ClosedCounts._make, CLOSED, values), days),
        "jobs": {**jobs, "parked": jobs["failed"]},  # the former name of the field
    }


def _day(bound: Bound, zone: ZoneInfo) -> date:
    return bound.astimezone(zone).date() if isinstance(bound, datetime) else bound


def _rows(make: Callable[[Iterable[object]], Row], statement: TextClause, values: Mapping[str, object]) -> list[Row]:
    """Return the rows of a statement, made by position."""
    return [make(row) for row in db.session.execute(statement, _parameters(statement, values))]


def _one(statement: TextClause, values: Mapping[str, object]) -> dict[str, object]:
    """Return the only row of a statement, by the names of its columns."""
    row = db.session.execute(statement, _parameters(statement, values)).one()
    return row._asdict()


def _parameters(statement: TextClause, values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in statement.compile().params}


def _columns(row: RequestCounts | ClosedCounts, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def _approvals(rows: Iterable[ProfessionalCounts]) -> dict[str, object]:
    found = {row.approval: row for row in rows if row.approval is not None}
    pending, approved = found.get("pending"), found.get("approved")
    return {
        "waiting": pending.total if pending else 0,
        "oldest": pending.oldest if pending else None,
        "expiring": approved.expiring if approved else 0,
        "by_state": {state: found[state].total if state in found else 0 for state in APPROVALS},
    }


def _ratings(rows: Iterable[ProfessionalCounts]) -> list[dict[str, int]]:
    """Return how many professionals have each number of full stars; 0 means no review."""
    found = {row.stars: row.total for row in rows if row.stars is not None}
    return [{"stars": stars, "professionals": found.get(stars, 0)} for stars in range(6)]


def _accounts(rows: Iterable[AccountCounts]) -> dict[str, object]:
    found = {row.role: row for row in rows}
    counts = {role: found.get(role, AccountCounts(role, 0, 0, 0)) for role in ("customer", "professional")}
    return {
        f"{role}s": {"total": row.total, "blocked": row.blocked, "joined": row.joined} for role, row in counts.items()
    }


def _by_status(rows: Iterable[RequestCounts]) -> dict[str, int]:
    totals = dict.fromkeys(STATES, 0)
    for row in rows:
        if row.step is not None:
            totals[row.status] += row.total
    return totals


def _by_day(rows: Iterable[RequestCounts], days: DashboardRange) -> list[dict[str, object]]:
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    for row in rows:
        if row.step is not None:
            found[row.step][row.status] = row.total
    return [{"day": day.isoformat(), **found[step]} for step, day in enumerate(days.steps(), 1)]


def _cancellations(rows: Iterable[RequestCounts]) -> dict[str, object]:
    """Return how many requests of the range were cancelled or expired, and their share."""
    totals = _by_status(rows)
    created = sum(totals.values())
    lost = totals["cancelled"] + totals["expired"]
    share = round(lost / created, 4) if created else 0.0
    return {"requests": created, "cancelled": totals["cancelled"], "expired": totals["expired"], "share": share}


def _closed(rows: Sequence[ClosedCounts], days: DashboardRange) -> dict[str, object]:
    by_step = {row.step: row for row in rows if row.step is not None}
    none = ClosedCounts(None, None, None, 0, Decimal(0))
    series = [(day, by_step.get(step, none)) for step, day in enumerate(days.steps(), 1)]
    return {
        "total": sum(row.total for row in by_step.values()),
        "value": sum((row.value for row in by_step.values()), Decimal(0)),
        "by_day": [{"day": day.isoformat(), "total": row.total, "value": row.value} for day, row in series],
        "top_tasks": [_columns(row, TOP_CLOSED_TASK) for row in rows if row.task_id is not None],
    }
