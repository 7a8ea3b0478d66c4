"""Statistics for the admin dashboard."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import replica
from backend.core.db.date_range import Bound, DateRange, date_range, day_start
from backend.core.db.replica import Source
from backend.domain.dashboard import counts
from backend.domain.market import settings as market

# The first part of each is from counts.py. A sum may be 0 there: what was counted has changed since.
PEOPLE: Final = """
    WITH {current}, {counts}
    SELECT measure, subject, CAST(sum(total) AS bigint) AS total
      FROM current WHERE measure IN ('account', 'blocked', 'approval', 'stars') GROUP BY 1, 2
     UNION ALL
    SELECT 'joined', subject, CAST(sum(total) AS bigint) FROM counts WHERE measure = 'account' GROUP BY subject
"""

# Those who expire are counted by whole days, and by the index on the last day.
QUEUE: Final = """
    WITH {current}
    SELECT least((SELECT min(approval_changed_at) FROM professionals WHERE approval = 'pending'),
                 (SELECT min(a.created_at) FROM professionals p JOIN accounts a ON a.id = p.account_id
                   WHERE p.approval = 'pending' AND p.approval_changed_at IS NULL)) AS oldest,
           CAST((SELECT coalesce(sum(total), 0) FROM current WHERE measure = 'expiring' AND day < :expiring_day)
                + (SELECT count(*) FROM professionals
                    WHERE approval = 'approved' AND approval_expires_at >= :expiring_from
                      AND approval_expires_at < :soon) AS bigint) AS expiring
"""

WAITING: Final = """
    WITH {current}, waiting AS (
        SELECT CAST(coalesce(sum(total), 0) AS bigint) AS total FROM current WHERE measure = 'waiting'
    )
    SELECT total,
           (SELECT min(created_at) FROM task_requests WHERE status = 'requested') AS oldest,
           total - (SELECT count(*) FROM task_requests WHERE status = 'requested' AND created_at >= :impatient)
               AS unanswered,
           (SELECT count(*) FROM task_requests WHERE status = 'requested' AND date_of_request < :tomorrow) AS due_soon,
           (SELECT count(*) FROM task_requests
             WHERE status = 'accepted' AND busy << tstzrange(:now, NULL)) AS overdue
      FROM waiting
"""

CREATED: Final = """
    WITH {current}, {counts}, days AS (
        SELECT width_bucket(day, CAST(:steps AS date[])) AS step, kind AS status, sum(total) AS total
          FROM counts WHERE measure = 'task' GROUP BY 1, 2 HAVING sum(total) <> 0
    ), by_task AS (
        SELECT CAST(subject AS bigint) AS task_id, sum(total) AS total,
               coalesce(sum(total) FILTER (WHERE kind = 'cancelled'), 0) AS cancelled,
               coalesce(sum(total) FILTER (WHERE kind = 'expired'), 0) AS expired
          FROM counts WHERE measure = 'task' GROUP BY 1 HAVING sum(total) <> 0
         ORDER BY total DESC, task_id LIMIT :shown
    ), by_pincode AS (
        SELECT subject AS pincode, sum(total) AS total,
               coalesce(sum(total) FILTER (WHERE kind = 'cancelled'), 0) AS cancelled,
               coalesce(sum(total) FILTER (WHERE kind = 'expired'), 0) AS expired
          FROM counts WHERE measure = 'pincode' GROUP BY 1 HAVING sum(total) <> 0
         ORDER BY total DESC, pincode LIMIT :shown
    )
    SELECT step, status, NULL AS task_id, NULL AS task_name, NULL AS pincode, NULL AS locality, NULL AS district,
           CAST(total AS bigint) AS total, NULL AS cancelled, NULL AS expired
      FROM days
     UNION ALL
    SELECT NULL, NULL, b.task_id, t.name, NULL, NULL, NULL, CAST(b.total AS bigint), CAST(b.cancelled AS bigint),
           CAST(b.expired AS bigint)
      FROM by_task b JOIN tasks t ON t.id = b.task_id
     UNION ALL
    SELECT NULL, NULL, NULL, NULL, b.pincode, p.locality, p.district, CAST(b.total AS bigint),
           CAST(b.cancelled AS bigint), CAST(b.expired AS bigint)
      FROM by_pincode b LEFT JOIN places p ON p.pincode = b.pincode
     ORDER BY total DESC, task_id, pincode
"""

# By the day of closing, and visits by that of completion. Values and lines are of the marketplace's currency only.
WORK: Final = """
    WITH {current}, {counts}, by_task AS (
        SELECT CAST(subject AS bigint) AS task_id,
               coalesce(sum(total) FILTER (WHERE measure = 'closed'), 0) AS total,
               coalesce(sum(value) FILTER (WHERE measure = 'closed' AND kind = :currency), 0) AS value,
               coalesce(sum(total) FILTER (WHERE measure = 'lines'), 0) AS with_lines,
               coalesce(sum(value) FILTER (WHERE measure = 'lines' AND kind = :currency), 0) AS lines
          FROM counts WHERE measure IN ('closed', 'lines') GROUP BY 1
    ), found AS (
        SELECT 'day' AS part, width_bucket(day, CAST(:steps AS date[])) AS step, CAST(NULL AS bigint) AS task_id,
               NULL AS start, NULL AS arrival, sum(total) AS total,
               coalesce(sum(value) FILTER (WHERE kind = :currency), 0) AS value, 0 AS with_lines, 0 AS lines
          FROM counts WHERE measure = 'closed' GROUP BY 2 HAVING sum(total) <> 0
         UNION ALL
        SELECT 'all', NULL, NULL, NULL, NULL, coalesce(sum(total), 0), coalesce(sum(value), 0),
               coalesce(sum(with_lines), 0), coalesce(sum(lines), 0)
          FROM by_task
         UNION ALL
        (SELECT 'task', NULL, task_id, NULL, NULL, total, value, with_lines, lines
           FROM by_task WHERE total <> 0 ORDER BY value DESC, task_id LIMIT :shown)
         UNION ALL
        (SELECT 'lines', NULL, task_id, NULL, NULL, total, value, with_lines, lines
           FROM by_task WHERE with_lines <> 0 ORDER BY lines DESC, task_id LIMIT :shown)
         UNION ALL
        SELECT 'visit', NULL, NULL, subject, kind, sum(total), 0, 0, 0
          FROM counts WHERE measure = 'visit' GROUP BY subject, kind HAVING sum(total) <> 0
    )
    SELECT part, step, task_id, t.name AS task_name, start, arrival, CAST(total AS bigint) AS total, value,
           CAST(with_lines AS bigint) AS with_lines, CAST(lines AS numeric(14, 2)) AS lines
      FROM found f LEFT JOIN tasks t ON t.id = f.task_id
     ORDER BY part, CASE part WHEN 'lines' THEN lines ELSE value END DESC, task_id
"""

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
NOTHING: Final = Decimal(0)
EXPIRING_WITHIN: Final = timedelta(days=30)
Row = TypeVar("Row")


class PeopleCounts(NamedTuple):
    """Accounts of one role, all ("account"), "blocked" or "joined" in the range, or professionals.

    Professionals are of one "approval", or of one number of full "stars".
    """

    measure: str
    subject: str
    total: int


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


class WorkCounts(NamedTuple):
    """Closed requests and visits: of one step ("day"), of all ("all"), of one task, or of one kind of visit ("visit").

    Of tasks there are those with the highest value ("task"), and those with the most of price lines ("lines").
    ``with_lines``: how many requests have approved lines; ``lines``: their sum, which ``value`` contains.
    """

    part: str
    step: int | None
    task_id: int | None
    task_name: str | None
    start: str | None
    arrival: str | None
    total: int
    value: Decimal
    with_lines: int
    lines: Decimal


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

    def has_whole_days(self, zone: ZoneInfo) -> bool:
        """Return whether the range starts and ends at midnight in the marketplace's time zone."""
        after = self.last + timedelta(days=1)
        return (self.dates.starts, self.dates.ends) == (day_start(self.first, zone), day_start(after, zone))


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
    return replica.read(lambda source: _statistics(source, days, at), for_caller=False)


def _statistics(source: Source, days: DashboardRange, at: datetime) -> dict[str, object]:
    zone, are_kept = current_settings().zone, counts.are_kept(source)
    kind = counts.KEPT if are_kept and days.has_whole_days(zone) else counts.COUNTED
    soon = at + EXPIRING_WITHIN
    expiring_day = soon.astimezone(zone).date() if are_kept else date.min
    values = {
        "zone": zone.key,
        "starts": days.dates.starts,
        "ends": days.dates.ends,
        "first": days.first,
        "last": days.last,
        "now": at,
        "tomorrow": at + timedelta(days=1),
        "soon": soon,
        "expiring_day": expiring_day,
        "expiring_from": day_start(expiring_day, zone) if are_kept else datetime.min.replace(tzinfo=UTC),
        "currency": current_settings().market_currency,
        "steps": list(days.steps()),
        "shown": SHOWN,
        "late_after": counts.LATE_AFTER,
        "impatient": at - timedelta(minutes=market.get().answer_within_minutes),
    }
    created = _rows(source, RequestCounts._make, _statement(CREATED, kind), values)
    people = _rows(source, PeopleCounts._make, _statement(PEOPLE, kind), values)
    work = _rows(source, WorkCounts._make, _statement(WORK, kind), values)
    jobs = _one(source, JOBS, values)
    return {
        "generated_at": at,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "step": days.step,
        "currency": current_settings().market_currency,
        "approvals": _approvals(people, _one(source, _statement(QUEUE, kind), values)),
        "professionals_by_rating": _ratings(people),
        "people": _accounts(people),
        "waiting": _one(source, _statement(WAITING, kind), values),
        "requests_by_status": _by_status(created),
        "requests_by_day": _by_day(created, days),
        "cancellations": _cancellations(created),
        "top_tasks": [_columns(row, TOP_TASK) for row in created if row.task_id is not None],
        "top_pincodes": [_columns(row, TOP_PINCODE) for row in created if row.pincode is not None],
        "closed_work": _closed(work, days),
        "extra_work": _extra_work(work),
        "visits": _visits(work),
        "jobs": {**jobs, "parked": jobs["failed"]},  # the former name of the field
    }


def _day(bound: Bound, zone: ZoneInfo) -> date:
    return bound.astimezone(zone).date() if isinstance(bound, datetime) else bound


@cache
def _statement(sql: str, source: str) -> TextClause:
    return text(sql.format(counts=source, current=counts.CURRENT))


def _rows(
    source: Source, make: Callable[[Iterable[object]], Row], statement: TextClause, values: Mapping[str, object]
) -> list[Row]:
    """Return the rows of a statement, made by position."""
    return [make(row) for row in source.execute(statement, _parameters(statement, values))]


def _one(source: Source, statement: TextClause, values: Mapping[str, object]) -> dict[str, object]:
    """Return the only row of a statement, by the names of its columns."""
    row = source.execute(statement, _parameters(statement, values)).one()
    return row._asdict()


def _parameters(statement: TextClause, values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in statement.compile().params}


def _columns(row: RequestCounts | WorkCounts, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def _approvals(people: Iterable[PeopleCounts], queue: Mapping[str, object]) -> dict[str, object]:
    by_state = dict.fromkeys(APPROVALS, 0) | _totals(people, "approval")
    return {"waiting": by_state["pending"], **queue, "by_state": by_state}


def _ratings(people: Iterable[PeopleCounts]) -> list[dict[str, int]]:
    """Return how many professionals have each number of full stars; 0 means no review."""
    found = _totals(people, "stars")
    return [{"stars": stars, "professionals": found.get(str(stars), 0)} for stars in range(6)]


def _accounts(people: Iterable[PeopleCounts]) -> dict[str, object]:
    total, blocked, joined = (_totals(people, measure) for measure in ("account", "blocked", "joined"))
    return {
        f"{role}s": {"total": total.get(role, 0), "blocked": blocked.get(role, 0), "joined": joined.get(role, 0)}
        for role in ("customer", "professional")
    }


def _totals(people: Iterable[PeopleCounts], measure: str) -> dict[str, int]:
    return {row.subject: row.total for row in people if row.measure == measure}


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
    return {
        "requests": created,
        "cancelled": totals["cancelled"],
        "expired": totals["expired"],
        "share": _share(lost, created),
    }


def _closed(rows: Iterable[WorkCounts], days: DashboardRange) -> dict[str, object]:
    by_step = {row.step: row for row in rows if row.part == "day"}
    series = [(day, by_step.get(step)) for step, day in enumerate(days.steps(), 1)]
    return {
        "total": sum(row.total for row in by_step.values()),
        "value": sum((row.value for row in by_step.values()), NOTHING),
        "by_day": [
            {"day": day.isoformat(), "total": row.total if row else 0, "value": row.value if row else NOTHING}
            for day, row in series
        ],
        "top_tasks": [_columns(row, TOP_CLOSED_TASK) for row in rows if row.part == "task"],
    }


def _extra_work(rows: Iterable[WorkCounts]) -> dict[str, object]:
    """Return what approved price lines added to the agreed prices of closed requests, in all and by task."""
    [whole] = [row for row in rows if row.part == "all"]
    tasks = [{"task_id": row.task_id, "task_name": row.task_name, **_lines(row)} for row in rows if row.part == "lines"]
    return {**_lines(whole), "top_tasks": tasks}


def _lines(row: WorkCounts) -> dict[str, object]:
    agreed = row.value - row.lines
    share = round(float(row.lines / agreed), 4) if agreed > NOTHING else 0.0
    return {"requests": row.with_lines, "value": row.lines, "agreed": agreed, "share": share}


def _visits(rows: Iterable[WorkCounts]) -> dict[str, object]:
    """Return how the visits that were completed had started, and whether the professional arrived in time."""
    visits = [row for row in rows if row.part == "visit"]

    def having(*, start: str | None = None, arrival: str | None = None) -> int:
        found = [row for row in visits if start in (None, row.start) and arrival in (None, row.arrival)]
        return sum(row.total for row in found)

    late, in_time, by_code, by_customer = (
        *(having(arrival=arrival) for arrival in ("late", "in_time")),
        *(having(start=start) for start in ("code", "customer")),
    )
    completed = having()
    return {
        "completed": completed,
        "started_by_code": by_code,
        "started_by_customer": by_customer,
        "started_without_code": having(start="none"),
        "start_not_recorded": having(start=""),
        "code_share": _share(by_code, completed),
        "customer_share": _share(by_customer, completed),
        "arrived_late": late,
        "arrived_in_time": in_time,
        "arrival_not_recorded": having(arrival=""),
        "late_share": _share(late, late + in_time),
        "late_after_minutes": counts.LATE_AFTER // timedelta(minutes=1),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
