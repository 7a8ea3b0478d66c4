"""Reading monthly reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from backend.core.db import pagination
from backend.core.db.pagination import Page, SortKey, Window
from backend.core.db.session import db
from backend.core.errors import Invalid, NotFound
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.reports import months
from backend.domain.reports.models import MonthlyReport
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import MonthlyStatistics, compute

LATEST_FIRST: Final[tuple[SortKey, ...]] = ((MonthlyReport.month.expression, True),)
NO_REPORT: Final = "There is no report for this month."


@dataclass(frozen=True, slots=True)
class Report:
    """One customer's month. ``sent_at`` is None for one that did not go out from the schedule."""

    customer: Account
    month: Month
    unfinished: bool
    figures: MonthlyStatistics
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A report that went out, as a line of a list."""

    month: Month
    sent_at: datetime
    figures: MonthlyStatistics


def get(actor: Actor, *, written: str, customer_id: int | None) -> Report:
    """The report of a month: as it went out, else computed now. Raises NotFound; Invalid when an admin names nobody."""
    customer = _customer(actor, customer_id)
    month = Month.parse(written)
    running = months.running()
    if month is None or month > running:
        raise NotFound(NO_REPORT)
    kept = db.session.execute(
        select(MonthlyReport.figures, MonthlyReport.created_at).where(
            MonthlyReport.customer_id == customer.id, MonthlyReport.month == month.first_day
        )
    ).one_or_none()
    if kept is not None:
        return Report(customer, month, unfinished=False, figures=MonthlyStatistics.from_json(kept[0]), sent_at=kept[1])
    figures = compute(month, [customer.id])[customer.id]
    return Report(customer, month, unfinished=month == running, figures=figures, sent_at=None)


def sent(actor: Actor, window: Window, *, customer_id: int | None) -> Page[Sent]:
    """The reports that went out to a customer, latest first."""
    customer = _customer(actor, customer_id)
    scope = f"reports:{customer.id}"
    query = select(MonthlyReport).where(MonthlyReport.customer_id == customer.id)
    if window.cursor is not None:
        year, number = pagination.decode_cursor(scope, window.cursor, length=2)
        query = query.where(MonthlyReport.month < func.make_date(year, number, 1))
    rows = db.session.execute(query.order_by(*pagination.order(LATEST_FIRST)).limit(window.limit + 1)).scalars().all()
    page = pagination.cut(rows, window=window, scope=scope, values=lambda row: (row.month.year, row.month.month))
    items = [
        Sent(Month(row.month.year, row.month.month), row.created_at, MonthlyStatistics.from_json(row.figures))
        for row in page.items
    ]
    return Page(items, page.next_cursor)


def _customer(actor: Actor, customer_id: int | None) -> Account:
    """Return whose report it is: the actor's own or, for admins, that of the named customer."""
    if actor.role is Role.ADMIN and customer_id is None:
        raise Invalid.field("customer_id", "Required for admins.")
    wanted = actor.account_id if customer_id is None else customer_id
    if actor.role is not Role.ADMIN and wanted != actor.account_id:
        raise NotFound(NO_REPORT)
    customer = db.session.get(Account, wanted)
    if customer is None or customer.role != Role.CUSTOMER.value:
        raise NotFound(NO_REPORT)
    return customer
