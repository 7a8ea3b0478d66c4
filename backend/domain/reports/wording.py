"""The texts of a report: the same for the email, its plain-text part and the page."""

from decimal import Decimal
from typing import Final

from backend.core.config import current_settings
from backend.domain.notifications.messages import format_time
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import MonthlyStatistics, Upcoming

SIGNS: Final = {"INR": "\N{INDIAN RUPEE SIGN}", "EUR": "\N{EURO SIGN}", "GBP": "\N{POUND SIGN}", "USD": "$"}
STATES: Final = {"requested": "Requested", "accepted": "Accepted"}
UNFINISHED: Final = "This month is not over yet. The report shows the figures so far."
QUIET: Final = "You had no requests this month."


def params(month: Month, figures: MonthlyStatistics, *, unfinished: bool) -> dict[str, object]:
    """Return the values for the report's texts. ``period`` and the counts are for short messages."""
    return {
        "period": str(month),
        "month": f"{month.label} (not over yet)" if unfinished else month.label,
        "requested": figures.requested,
        "closed": figures.closed,
        "spent": money(figures.spent, figures.currency),
        "intro": _intro(figures, unfinished=unfinished),
        "lines": _lines(figures),
        "upcoming": [_upcoming(one) for one in figures.upcoming],
        "upcoming_more": max(0, figures.upcoming_count - len(figures.upcoming)),
    }


def money(amount: Decimal, currency: str) -> str:
    """Return an amount for display."""
    sign = SIGNS.get(currency, f"{currency} ")
    return f"{sign}{amount:,.2f}"


def _intro(figures: MonthlyStatistics, *, unfinished: bool) -> str:
    if unfinished:
        return UNFINISHED
    return QUIET if figures.is_quiet else "Here is a summary of your requests."


def _lines(figures: MonthlyStatistics) -> list[list[str]]:
    return [
        ["Requested", str(figures.requested)],
        ["Accepted", str(figures.accepted)],
        ["Completed", str(figures.completed)],
        ["Closed", str(figures.closed)],
        ["Cancelled", str(figures.cancelled)],
        ["Spent", money(figures.spent, figures.currency)],
        ["Professionals met", str(figures.professionals_met)],
        ["Reviews given", str(figures.reviews_given)],
    ]


def _upcoming(one: Upcoming) -> dict[str, object]:
    when = format_time(one.date_of_request, current_settings().zone)
    return {"id": one.id, "task": one.task_name, "when": when, "state": STATES[one.status]}
