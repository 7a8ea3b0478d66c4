"""Dashboard statistics of random marketplaces against a simple count over all rows."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.dashboard import queries
from backend.domain.market import settings as market
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.models import TaskRequest
from tests.factories import closed_requests as made

PINCODES = ("560001", "110001", "400001", "600001")
STATES = ("requested", "accepted", "completed", "closed", "closed", "closed", "cancelled", "expired")
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)  # with the end of summer time in Europe, 25 October
RANGES = (
    (date(2026, 10, 1), date(2026, 10, 31)),
    (date(2026, 10, 24), date(2026, 10, 26)),
    (date(2026, 10, 25), date(2026, 10, 25)),
    (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    (date(2025, 1, 15), date(2026, 11, 20)),
)


@pytest.fixture(params=["Asia/Kolkata", "Europe/Berlin"])
def zone(app: Flask, request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """Return the marketplace's time zone."""
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, market_timezone=request.param)
    yield ZoneInfo(request.param)
    app.extensions["settings"] = before


def random_market(dice: random.Random) -> None:
    """Create professionals, more tasks than are shown, and requests in all states, mostly near midnight."""
    customer, worker = made.account(Role.CUSTOMER), made.professional()
    tasks = [made.task(f"Task {number}") for number in range(13)]
    for _ in range(12):
        reviews = dice.randrange(4)
        stars = {"rating_count": reviews, "rating_sum": sum(dice.randint(1, 5) for _ in range(reviews))}
        made.professional(approval=dice.choice(queries.APPROVALS), **stars)
    for _ in range(90):
        at = BEGIN + timedelta(days=dice.randrange(50), hours=dice.choice([18, 22, 23, 0]), minutes=dice.randrange(60))
        made.request(
            made.Market(customer, worker, dice.choice(tasks)),
            status=dice.choice(STATES),
            at=at,
            created_at=at - timedelta(hours=dice.randrange(3, 100)),
            pincode=dice.choice(PINCODES),
            price=Decimal(dice.randrange(100, 99999)) / 100,
            currency=dice.choice(["INR", "INR", "EUR"]),
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_dashboard_statistics_match_simple_count(app: Flask, zone: ZoneInfo, seed: int) -> None:
    random_market(random.Random(seed))
    rows = list(db.session.execute(select(TaskRequest)).scalars())
    professionals = list(db.session.execute(select(Professional)).scalars())
    for first, last in RANGES:
        found: dict[str, Any] = queries.statistics(first=first, last=last)
        assert of_requests(found) == counted_requests(rows, first, last, zone=zone), (first, last)
        assert of_professionals(found) == counted_professionals(professionals)
        assert found["waiting"]["total"] == sum(row.status == "requested" for row in rows)
        assert found["waiting"]["unanswered"] == sum(is_unanswered(row) for row in rows)


def of_requests(found: dict[str, Any]) -> dict[str, Any]:
    closed = found["closed_work"]
    return {
        "status": {state: total for state, total in found["requests_by_status"].items() if total},
        "days": {
            (row["day"], state): row[state]
            for row in found["requests_by_day"]
            for state in queries.STATES
            if row[state]
        },
        "lost": (found["cancellations"]["requests"], found["cancellations"]["cancelled"]),
        "tasks": [(row["task_id"], row["total"], row["cancelled"], row["expired"]) for row in found["top_tasks"]],
        "pincodes": [(row["pincode"], row["total"]) for row in found["top_pincodes"]],
        "closed": (closed["total"], closed["value"]),
        "closed_days": {row["day"]: (row["total"], row["value"]) for row in closed["by_day"] if row["total"]},
        "closed_tasks": [(row["task_id"], row["total"], row["value"]) for row in closed["top_tasks"]],
    }


def counted_requests(rows: list[TaskRequest], first: Any, last: Any, *, zone: ZoneInfo) -> dict[str, Any]:
    step = step_of(first, last, zone)
    new = [row for row in rows if is_within(row.created_at, first, last, zone)]
    closed = [row for row in rows if row.closed_at and is_within(row.closed_at, first, last, zone)]
    tasks, pincodes = Counter(row.task_id for row in new), Counter(row.pincode for row in new)
    lost = Counter((row.task_id, row.status) for row in new)
    days = {step(row.closed_at) for row in closed}
    by_value = [(task, *worth([row for row in closed if row.task_id == task])) for task in {r.task_id for r in closed}]
    return {
        "status": dict(Counter(row.status for row in new)),
        "days": dict(Counter((step(row.created_at), row.status) for row in new)),
        "lost": (len(new), sum(row.status == "cancelled" for row in new)),
        "tasks": [(t, n, lost[t, "cancelled"], lost[t, "expired"]) for t, n in ranked(tasks)],
        "pincodes": ranked(pincodes),
        "closed": worth(closed),
        "closed_days": {day: worth([row for row in closed if step(row.closed_at) == day]) for day in days},
        "closed_tasks": sorted(by_value, key=lambda row: (-row[2], row[0]))[:10],
    }


def step_of(first: Any, last: Any, zone: ZoneInfo) -> Any:
    """Return a function that names the day of a time, or the first day of its month in a long range."""
    is_long = isinstance(first, date) and (last - first).days >= queries.DAYS_SHOWN_ONE_BY_ONE

    def step(at: datetime) -> str:
        day = at.astimezone(zone).date()
        return (day.replace(day=1) if is_long else day).isoformat()

    return step


def is_within(at: datetime, first: Any, last: Any, zone: ZoneInfo) -> bool:
    if isinstance(first, datetime):
        return bool(first <= at <= last)
    midnight = datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone)
    return datetime.combine(first, time.min, tzinfo=zone) <= at < midnight


def worth(rows: list[TaskRequest]) -> tuple[int, Decimal]:
    """Return the number of requests and the value of those in the marketplace's currency."""
    return len(rows), sum((row.price for row in rows if row.currency == "INR"), Decimal(0))


def ranked(counted: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))[:10]


def is_unanswered(row: TaskRequest) -> bool:
    time_limit = timedelta(minutes=market.get().answer_within_minutes)
    return row.status == "requested" and row.created_at < now() - time_limit


def of_professionals(found: dict[str, Any]) -> tuple[dict[str, int], dict[int, int]]:
    stars = {row["stars"]: row["professionals"] for row in found["professionals_by_rating"] if row["professionals"]}
    return found["approvals"]["by_state"], stars


def counted_professionals(professionals: list[Professional]) -> tuple[dict[str, int], dict[int, int]]:
    states = {state: sum(one.approval == state for one in professionals) for state in queries.APPROVALS}
    stars = Counter(one.rating_sum // one.rating_count if one.rating_count else 0 for one in professionals)
    return states, dict(stars)


def test_dashboard_job_statistics_count_waiting_and_failed_jobs(app: Flask) -> None:
    with transaction():
        for statement in (
            "INSERT INTO jobs (topic, payload, run_at) VALUES ('a', '{}', now() - interval '1 hour')",
            "INSERT INTO jobs (topic, payload, run_at) VALUES ('b', '{}', now() + interval '1 hour')",
            "INSERT INTO jobs (topic, payload, done_at) VALUES ('c', '{}', now())",
            "INSERT INTO jobs (topic, payload, dead_at) VALUES ('d', '{}', now())",
            "INSERT INTO job_runs (name, period, status, finished_at) VALUES ('e', '1', 'failed', now())",
        ):
            db.session.execute(text(statement))
    found: dict[str, Any] = queries.statistics()
    jobs = found["jobs"]
    assert (jobs["waiting"], jobs["failed"], jobs["runs_failed"]) == (2, 1, 1)
    assert timedelta(minutes=59) < now() - jobs["oldest"] < timedelta(minutes=61)
