"""Sending monthly reports. A row per customer and month ensures that each is sent once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Row, exists, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.security.authz import Role
from backend.domain.accounts.models import Account
from backend.domain.live_updates import changes
from backend.domain.notifications import create
from backend.domain.notifications.create import Outgoing
from backend.domain.reports import months, wording
from backend.domain.reports.models import MonthlyReport
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import MonthlyStatistics, compute

KIND: Final = "report"
CUSTOMER_ID: Final = Account.id
CUSTOMERS: Final = Account.role == Role.CUSTOMER.value


@dataclass(frozen=True, slots=True)
class Batch:
    """The result for a batch. ``skipped`` customers have the report already, are blocked, or unsubscribed."""

    sent: int
    skipped: int


def check(params: Mapping[str, object]) -> dict[str, object]:
    """Validate the parameters of a run: a month that has started (default: the last finished one), one customer.

    Raises Invalid naming the field.
    """
    month, customer_id = params.get("month"), params.get("customer_id")
    wanted = months.running().previous if month is None else Month.parse(str(month))
    if wanted is None:
        raise Invalid.field("month", "Must be a month such as 2026-10.")
    if wanted > months.running():
        raise Invalid.field("month", "Must not be a future month.")
    if customer_id is None:
        return {"month": str(wanted)}
    customer = db.session.get(Account, customer_id)
    if customer is None or customer.role != Role.CUSTOMER.value:
        raise Invalid.field("customer_id", "Customer not found.")
    return {"month": str(wanted), "customer_id": customer_id}


def send_batch(month: Month, *, run_id: int, after: int, until: int) -> Batch:
    """Send the month's report to the customers in a range of ids who existed then and lack it."""
    customers = _customers(month, after=after, until=until)
    lacking = [customer.id for customer in customers if not customer.has_it and not customer.blocked]
    figures = compute(month, lacking)
    if month < months.running():
        fresh = _keep(month, figures)
        posted = _post(month, fresh, subject=str(month), run_id=run_id)
    else:
        posted = _post(month, figures, subject=f"{month}:unfinished:{run_id}", run_id=run_id)
    return Batch(posted, len(customers) - posted)


def send_to_one(month: Month, *, run_id: int, customer_id: int) -> Batch:
    """Send the month's report to one customer, even if it was sent before."""
    account = db.session.get(Account, customer_id)
    if account is None or account.blocked_at is not None:
        return Batch(0, 1)
    figures = compute(month, [customer_id])
    if month == months.running():
        subject = f"{month}:unfinished:{run_id}"
    elif _keep(month, figures):
        subject = str(month)
    else:
        subject = f"{month}:again:{run_id}"
        figures = {customer_id: _again(month, customer_id)}
    posted = _post(month, figures, subject=subject, run_id=run_id)
    return Batch(posted, 1 - posted)


def _customers(month: Month, *, after: int, until: int) -> Sequence[Row[int, bool, bool]]:
    has_it = exists().where(MonthlyReport.customer_id == Account.id, MonthlyReport.month == month.first_day)
    signed_up = Account.created_at < month.dates(current_settings().zone).ends
    query = (
        select(Account.id, has_it.label("has_it"), Account.blocked_at.is_not(None).label("blocked"))
        .where(CUSTOMERS, after < CUSTOMER_ID, until >= CUSTOMER_ID, signed_up)
        .order_by(CUSTOMER_ID)
    )
    return db.session.execute(query).all()


def _keep(month: Month, figures: Mapping[int, MonthlyStatistics]) -> dict[int, MonthlyStatistics]:
    """Write the rows; the unique constraint decides between runs at the same time. Returns those that are new."""
    if not figures:
        return {}
    rows = [
        {"customer_id": customer_id, "month": month.first_day, "figures": of.as_json(), "created_at": now()}
        for customer_id, of in sorted(figures.items())
    ]
    statement = upsert(MonthlyReport).on_conflict_do_nothing(index_elements=["customer_id", "month"])
    fresh = db.session.execute(statement.returning(MonthlyReport.customer_id), rows).scalars()
    kept = {customer_id: figures[customer_id] for customer_id in fresh}
    changes.announce_reports(kept)
    return kept


def _again(month: Month, customer_id: int) -> MonthlyStatistics:
    statement = (
        update(MonthlyReport)
        .where(MonthlyReport.customer_id == customer_id, MonthlyReport.month == month.first_day)
        .values(sent_again_at=now())
        .returning(MonthlyReport.figures)
    )
    return MonthlyStatistics.from_json(db.session.execute(statement).scalar_one())


def _post(month: Month, figures: Mapping[int, MonthlyStatistics], *, subject: str, run_id: int) -> int:
    unfinished = month == months.running()
    return create.post(
        [
            Outgoing(customer_id, KIND, subject, wording.params(month, of, unfinished=unfinished), run_id=run_id)
            for customer_id, of in figures.items()
        ]
    )
