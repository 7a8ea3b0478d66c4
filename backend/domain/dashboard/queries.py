"""The market's figures, as an admin acts on them: computed by seven queries and kept for a few seconds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import TextClause

from backend.core.clock import now
from backend.core.config import current
from backend.core.database import db
from backend.core.spans import Edge
from backend.domain.dashboard import statements
from backend.domain.dashboard.spans import Window, window
from backend.domain.market import settings as market

SHOWN: Final = 10
STATES: Final = ("requested", "accepted", "completed", "closed", "cancelled", "expired")
APPROVALS: Final = ("document_missing", "pending", "approved", "rejected", "expired")
EXPIRING_WITHIN: Final = timedelta(days=30)
Row = Mapping[str, Any]


def figures(*, first: Edge | None = None, last: Edge | None = None) -> dict[str, Any]:
    """All figures. Those of a span look at when requests were made (their state is today's) or closed.

    Raises Invalid when the span ends before it begins.
    """
    moment = now()
    days = window(first, last, now=moment, zone=current().zone)
    values = {
        "starts": days.span.starts,
        "ends": days.span.ends,
        "now": moment,
        "tomorrow": moment + timedelta(days=1),
        "soon": moment + EXPIRING_WITHIN,
        "currency": current().market_currency,
        "steps": days.moments(current().zone),
        "shown": SHOWN,
        "impatient": moment - timedelta(minutes=market.get().answer_within_minutes),
    }
    created = _rows(statements.CREATED, values)
    return {
        "generated_at": moment,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "step": days.step,
        "currency": current().market_currency,
        "approvals": _approvals(professionals := _rows(statements.PROFESSIONALS, values)),
        "professionals_by_rating": _ratings(professionals),
        "people": _people(_rows(statements.PEOPLE, values)),
        "waiting": _rows(statements.WAITING, values)[0],
        "requests_by_status": _by_status(created),
        "requests_by_day": _by_day(created, days),
        "cancellations": _cancellations(created),
        "top_tasks": _top(created, "task_id", ("task_id", "task_name", "total", "cancelled", "expired")),
        "top_pincodes": _top(created, "pincode", ("pincode", "locality", "district", "total", "cancelled", "expired")),
        "closed_work": _closed(_rows(statements.CLOSED, values), days),
        "jobs": _rows(statements.JOBS, values)[0],
    }


def _rows(statement: TextClause, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    wanted = {name: value for name, value in values.items() if name in statement.compile().params}
    return [dict(row) for row in db.session.execute(statement, wanted).mappings()]


def _approvals(rows: Iterable[Row]) -> dict[str, Any]:
    found = {row["approval"]: row for row in rows if row["approval"] is not None}
    pending, approved = found.get("pending"), found.get("approved")
    return {
        "waiting": pending["total"] if pending else 0,
        "oldest": pending["oldest"] if pending else None,
        "expiring": approved["expiring"] if approved else 0,
        "by_state": {state: found[state]["total"] if state in found else 0 for state in APPROVALS},
    }


def _ratings(rows: Iterable[Row]) -> list[dict[str, int]]:
    """How many professionals have so many full stars; 0 for those without a review."""
    found = {int(row["stars"]): row["total"] for row in rows if row["stars"] is not None}
    return [{"stars": stars, "professionals": found.get(stars, 0)} for stars in range(6)]


def _people(rows: Iterable[Row]) -> dict[str, Any]:
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


def _by_day(rows: Iterable[Row], days: Window) -> list[dict[str, Any]]:
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    for row in rows:
        if row["step"] is not None:
            found[row["step"]][row["status"]] = row["total"]
    return [{"day": day.isoformat(), **found[step]} for step, day in enumerate(days.steps(), 1)]


def _cancellations(rows: Iterable[Row]) -> dict[str, Any]:
    """Of the requests made in the span: how many came to nothing, and in what share."""
    totals = _by_status(rows)
    made = sum(totals.values())
    lost = totals["cancelled"] + totals["expired"]
    share = round(lost / made, 4) if made else 0.0
    return {"requests": made, "cancelled": totals["cancelled"], "expired": totals["expired"], "share": share}


def _top(rows: Iterable[Row], key: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names} for row in rows if row[key] is not None]


def _closed(rows: list[dict[str, Any]], days: Window) -> dict[str, Any]:
    by_step = {row["step"]: row for row in rows if row["step"] is not None}
    nothing = {"total": 0, "value": Decimal(0)}
    series = [(day, by_step.get(step, nothing)) for step, day in enumerate(days.steps(), 1)]
    return {
        "total": sum(row["total"] for row in by_step.values()),
        "value": sum((row["value"] for row in by_step.values()), Decimal(0)),
        "by_day": [{"day": day.isoformat(), "total": row["total"], "value": row["value"]} for day, row in series],
        "top_tasks": _top(rows, "task_id", ("task_id", "task_name", "total", "value")),
    }
