"""Monthly statistics of customers, in one aggregate query for any number of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import text

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import replica
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
           coalesce(sum(r.price + coalesce(r.lines_amount, 0)) FILTER (
               WHERE r.closed_at >= :starts AND r.closed_at < :ends AND r.currency = :currency), 0) AS spent,
           count(DISTINCT r.professional_id) FILTER (
               WHERE r.completed_at >= :starts AND r.completed_at < :ends) AS professionals_met,
           (SELECT count(*) FROM reviews v
             WHERE v.customer_id = who.id AND v.created_at >= :starts AND v.created_at < :ends) AS reviews_given,
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


class StoredUpcoming(TypedDict):
    """A future request as stored."""

    id: int
    task_name: str
    status: str
    date_of_request: str


class StoredStatistics(TypedDict):
    """The statistics as stored: amounts and times are strings."""

    requested: int
    accepted: int
    completed: int
    closed: int
    cancelled: int
    spent: str
    currency: str
    professionals_met: int
    reviews_given: int
    upcoming_count: int
    upcoming: list[StoredUpcoming]
    generated_at: str


class _Aggregate(NamedTuple):
    """One customer's row, in the order of the statement's columns."""

    customer_id: int
    requested: int
    accepted: int
    completed: int
    closed: int
    cancelled: int
    spent: Decimal
    professionals_met: int
    reviews_given: int
    upcoming_count: int
    upcoming_ids: list[int] | None
    upcoming_tasks: list[str] | None
    upcoming_states: list[str] | None
    upcoming_dates: list[datetime] | None


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

    def as_json(self) -> StoredStatistics:
        """Return the statistics as stored."""
        return {
            "requested": self.requested,
            "accepted": self.accepted,
            "completed": self.completed,
            "closed": self.closed,
            "cancelled": self.cancelled,
            "spent": f"{self.spent:.2f}",
            "currency": self.currency,
            "professionals_met": self.professionals_met,
            "reviews_given": self.reviews_given,
            "upcoming_count": self.upcoming_count,
            "upcoming": [
                {
                    "id": request.id,
                    "task_name": request.task_name,
                    "status": request.status,
                    "date_of_request": request.date_of_request.isoformat(),
                }
                for request in self.upcoming
            ],
            "generated_at": self.generated_at.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: StoredStatistics) -> "MonthlyStatistics":
        """Return the statistics of a stored row."""
        return cls(
            requested=stored["requested"],
            accepted=stored["accepted"],
            completed=stored["completed"],
            closed=stored["closed"],
            cancelled=stored["cancelled"],
            spent=Decimal(stored["spent"]),
            currency=stored["currency"],
            professionals_met=stored["professionals_met"],
            reviews_given=stored["reviews_given"],
            upcoming_count=stored["upcoming_count"],
            upcoming=tuple(
                Upcoming(
                    request["id"],
                    request["task_name"],
                    request["status"],
                    datetime.fromisoformat(request["date_of_request"]),
                )
                for request in stored["upcoming"]
            ),
            generated_at=datetime.fromisoformat(stored["generated_at"]),
        )


def compute(month: Month, customers: Sequence[int]) -> dict[int, MonthlyStatistics]:
    """Return the month's statistics of each of these customers, zeros for those without requests."""
    dates = month.dates(current_settings().zone)
    at = now()
    values = {
        "starts": dates.starts,
        "ends": dates.ends,
        "now": at,
        "currency": current_settings().market_currency,
        "customers": list(customers),
    }
    with replica.caught_up() as source:
        rows = [_Aggregate._make(row) for row in (source or db.session).execute(AGGREGATE, values)]
    return {row.customer_id: _statistics(row, at) for row in rows}


def _statistics(row: _Aggregate, at: datetime) -> MonthlyStatistics:
    upcoming = zip(
        row.upcoming_ids or (),
        row.upcoming_tasks or (),
        row.upcoming_states or (),
        row.upcoming_dates or (),
        strict=True,
    )
    return MonthlyStatistics(
        requested=row.requested,
        accepted=row.accepted,
        completed=row.completed,
        closed=row.closed,
        cancelled=row.cancelled,
        spent=row.spent,
        currency=current_settings().market_currency,
        professionals_met=row.professionals_met,
        reviews_given=row.reviews_given,
        upcoming_count=row.upcoming_count,
        upcoming=tuple(Upcoming(*request) for request in upcoming),
        generated_at=at,
    )
