"""The values of a report: the same for the email, its plain-text part and the page, which word them."""

from typing import Final

from backend.domain.notifications.messages import amount, phrase
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import MonthlyStatistics, Upcoming

SHOWN: Final = (
    "requested",
    "accepted",
    "completed",
    "closed",
    "cancelled",
    "spent",
    "professionals_met",
    "reviews_given",
)


def params(month: Month, figures: MonthlyStatistics, *, unfinished: bool) -> dict[str, object]:
    """Return the values for the report's texts. ``period`` and the counts are for short messages."""
    named = {"month": str(month)}
    values = {name: getattr(figures, name) for name in SHOWN} | {"spent": amount(figures.spent, figures.currency)}
    return {
        "period": str(month),
        "month": phrase("month_unfinished", month=named) if unfinished else named,
        "requested": figures.requested,
        "closed": figures.closed,
        "spent": values["spent"],
        "intro": _intro(figures, unfinished=unfinished),
        "lines": [[phrase(f"figures.{name}"), values[name]] for name in SHOWN],
        "upcoming": [_upcoming(one) for one in figures.upcoming],
        "upcoming_more": max(0, figures.upcoming_count - len(figures.upcoming)),
    }


def _intro(figures: MonthlyStatistics, *, unfinished: bool) -> dict[str, object]:
    if unfinished:
        return phrase("report_unfinished")
    return phrase("report_quiet" if figures.is_quiet else "report_summary")


def _upcoming(one: Upcoming) -> dict[str, object]:
    when = {"time": one.date_of_request.isoformat()}
    return {"id": one.id, "task": one.task_name, "when": when, "state": phrase(f"states.{one.status}")}
