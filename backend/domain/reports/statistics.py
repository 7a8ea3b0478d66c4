"""Monthly statistics of customers, in one aggregate query for any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.domain.reports.months import Month

# Each event counts in the month in which it happened. Professionals are met when they complete a request; money is
# spent when a request is closed.
AGGREGATE: Final = text("""
    SELECT who.id AS customer_id,
           count(r.id) FILTER (WHERE r.created_at >= :starts AND r.created_at < :ends) AS requested,
           count(r.id) FILTER (WHERE r.accepted_at >= :starts AND r.accepted_at < :ends) AS accepted,
           count(r.id) FILTER (WHERE r.completed_at >= :starts AND r.completed_at < :ends) AS completed,
           count(r.id) FILTER (WHERE r.closed_at >= :starts AND r.closed_at < :ends) AS closed,
           count(r.id) FILTER (WHERE r.cancelled_at >= :starts AND r.cancelled_at < :ends) AS cancelled,
           coalesce(sum(r.price) FILTER (WHERE r.closed_at >= :starts AND r.closed_at < :ends
                                           AND r.currency = :currency), 0) AS spent,
           count(DISTINCT r.professional_id) FILTER (
               WHERE r.completed_at >= :starts AND r.completed_at < :ends) AS professionals_met,
           count(v.request_id) FILTER (WHERE v.created_at >= :starts AND v.created_at < :ends) AS reviews_given,
           count(r.id) FILTER (WHERE r.status IN ('requested', 'accepted') AND r.date_of_request >= :now)
               AS upcoming_count,
           (array_agg(r.id ORDER BY r.date_of_request, r.id) FILTER (
               WHERE r.status IN ('requested', 'accepted') AND r.date_of_request >= :now))[1:10] AS upcoming_ids,
           (array_agg(r.task_name ORDER BY r.date_of_request, r.id) FILTER (
               WHERE r.status IN ('requested', 'accepted') AND r.date_of_request >= :now))[1:10] AS upcoming_tasks,
           (array_agg(r.status ORDER BY r.date_of_request, r.id) FILTER (
               WHERE r.status IN ('requested', 'accepted') AND r.date_of_request >= :now))[1:10] AS upcoming_states,
           (array_agg(r.date_of_request ORDER BY r.date_of_request, r.id) FILTER (
               WHERE r.status IN ('requested', 'accepted') AND r.date_of_request >= :now))[1:10] AS upcoming_dates
      FROM unnest(CAST(:customers AS bigint[])) AS who (id)
      LEFT JOIN task_requests r ON r.customer_id = who.id
      LEFT JOIN reviews v ON v.request_id = r.id
     GROUP BY who.id
""")
COUNTED: Final = (
    *("requested", "accepted", "completed", "closed", "cancelled"),
    *("professionals_met", "reviews_given", "upcoming_count"),
)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A future request."""

    id: int
    task_name: str
    status: str
    date_of_request: datetime


@dataclass(frozen=True, slots=True)
class MonthlyStatistics:
    """One customer's month. ``upcoming`` holds the next ten of ``upcoming_count``, as of when it was computed."""

    requested: int
    accepted: int
    completed: int
    closed: int
    cancelled: int
    spent: Decimal
    currency: str
    professionals_met: int
    reviews_given: int
    upcoming_count: int
    upcoming: tuple[Upcoming, ...]
    generated_at: datetime

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing happened in the month."""
        return not (self.requested or self.accepted or self.completed or self.closed or self.cancelled)

    def as_json(self) -> dict[str, Any]:
        """Return the statistics as stored: plain values."""
        kept = {name: getattr(self, name) for name in COUNTED}
        return {
            **kept,
            "spent": f"{self.spent:.2f}",
            "currency": self.currency,
            "upcoming": [
                {
                    "id": one.id,
                    "task_name": one.task_name,
                    "status": one.status,
                    "date_of_request": one.date_of_request.isoformat(),
                }
                for one in self.upcoming
            ],
            "generated_at": self.generated_at.isoformat(),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "MonthlyStatistics":
        """Return the statistics of a stored row."""
        upcoming = tuple(
            Upcoming(one["id"], one["task_name"], one["status"], datetime.fromisoformat(one["date_of_request"]))
            for one in kept["upcoming"]
        )
        return cls(
            **{name: kept[name] for name in COUNTED},
            spent=Decimal(kept["spent"]),
            currency=kept["currency"],
            upcoming=upcoming,
            generated_at=datetime.fromisoformat(kept["generated_at"]),
        )


def compute(month: Month, customers: Sequence[int]) -> dict[int, MonthlyStatistics]:
    """Return the month's statistics of each of these customers, zeros for those without requests."""
    span = month.span(current_settings().zone)
    moment = now()
    values = {
        "starts": span.starts,
        "ends": span.ends,
        "now": moment,
        "currency": current_settings().market_currency,
        "customers": list(customers),
    }
    rows = db.session.execute(AGGREGATE, values).mappings()
    return {row["customer_id"]: _statistics(dict(row), moment) for row in rows}


def _statistics(row: dict[str, Any], moment: datetime) -> MonthlyStatistics:
    listed = [row[f"upcoming_{part}"] or [] for part in ("ids", "tasks", "states", "dates")]
    return MonthlyStatistics(
        **{name: row[name] for name in COUNTED},
        spent=row["spent"],
        currency=current_settings().market_currency,
        upcoming=tuple(Upcoming(*parts) for parts in zip(*listed, strict=True)),
        generated_at=moment,
    )
