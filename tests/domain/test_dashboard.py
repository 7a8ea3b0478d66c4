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
from sqlalchemy.dialects.postgresql import Range

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.accounts.models import Account
from backend.domain.dashboard import counts, queries
from backend.domain.market import settings as market
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.models import TaskRequest
from backend.domain.tasks.models import Task
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
    for place in range(90):
        at = BEGIN + timedelta(days=dice.randrange(50), hours=dice.choice([18, 22, 23, 0]), minutes=dice.randrange(60))
        visit = random_visit(dice, at)
        status, busy = dice.choice(STATES), BEGIN + timedelta(hours=place)  # so that no two that are accepted overlap
        made.request(
            made.Market(customer, worker, dice.choice(tasks)),
            status=status,
            at=at,
            created_at=at - timedelta(hours=dice.randrange(3, 100)),
            pincode=dice.choice(PINCODES),
            price=Decimal(dice.randrange(100, 99999)) / 100,
            currency=dice.choice(["INR", "INR", "EUR"]),
            lines_amount=dice.choice([None, None, Decimal(dice.randrange(-99, 99999)) / 100]),
            busy=Range(busy, busy + timedelta(hours=1)) if status == "accepted" else None,
            **visit,
        )


def random_visit(dice: random.Random, at: datetime) -> dict[str, Any]:
    """Return the columns of a visit of which some steps were recorded, at the edge of being late."""
    date_of_request = at - timedelta(hours=1)
    arrived_at = date_of_request + counts.LATE_AFTER + timedelta(seconds=dice.choice([-9999, 0, 1, 9999]))
    return {
        "date_of_request": date_of_request,
        "arrived_at": dice.choice([None, arrived_at]),
        "started_at": dice.choice([None, arrived_at]),
        "start_proof": dice.choice([None, "code", "customer"]),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_dashboard_statistics_match_simple_count(app: Flask, zone: ZoneInfo, seed: int) -> None:
    dice = random.Random(seed)
    random_market(dice)
    assert_statistics_match(zone)
    for _ in range(4):
        random_changes(dice)
        assert_statistics_match(zone)
    assert counts.are_kept(db.session)
    db.session.execute(text("UPDATE task_requests SET price = price + 10"))  # for certain a change to add
    db.session.commit()
    kept, added = kept_counts(), add_changes(limit=10_000)
    assert (kept, added > 0) == (kept_counts(), True)
    with transaction():
        counts.rebuild()
    assert kept_counts() == kept
    assert db.session.execute(text("SELECT count(*) FROM dashboard_counts WHERE total = 0")).scalar_one() == 0


KEPT = """
    WITH {current}
    SELECT measure, day, subject, kind, sum(total), sum(value) FROM current
     GROUP BY 1, 2, 3, 4 HAVING sum(total) <> 0 OR sum(value) <> 0 ORDER BY 1, 2, 3, 4
"""


def kept_counts() -> list[tuple[Any, ...]]:
    """Return the sums of counts and of changes that are not added yet."""
    found = db.session.execute(
        text(KEPT.format(current=counts.CURRENT)), {"zone": current_settings().market_timezone}
    ).all()
    return [tuple(row) for row in found]


def add_changes(*, limit: int) -> int:
    with transaction():
        return counts.add_changes(limit=limit)


CHANGES = (
    "UPDATE task_requests SET status = 'expired', expired_at = now() WHERE id = :id AND status = 'requested'",
    "UPDATE task_requests SET status = 'cancelled', cancelled_at = now() WHERE id = :id AND status = 'requested'",
    """UPDATE task_requests SET status = 'closed', closed_at = completed_at + :later
        WHERE id = :id AND status = 'completed'""",
    "UPDATE task_requests SET price = price + 10 WHERE id = :id",
    "UPDATE task_requests SET pincode = '560001', created_at = created_at - :later WHERE id = :id",
    "DELETE FROM task_requests WHERE id = :id",
    "UPDATE task_requests SET lines_amount = coalesce(lines_amount, 0) + 20 WHERE id = :id",
    "UPDATE task_requests SET lines_amount = NULL WHERE id = :id",
    "UPDATE task_requests SET start_proof = 'code', started_at = date_of_request + :later WHERE id = :id",
    "UPDATE task_requests SET started_at = NULL, start_proof = NULL, arrived_at = NULL WHERE id = :id",
    "UPDATE task_requests SET arrived_at = date_of_request + :later, started_at = NULL WHERE id = :id",
    "UPDATE task_requests SET date_of_request = date_of_request - :later WHERE id = :id AND status <> 'accepted'",
    "UPDATE accounts SET blocked_at = now(), blocked_reason = 'x' WHERE id % 5 = :id % 5",
    "UPDATE accounts SET blocked_at = NULL, blocked_reason = NULL WHERE id % 5 = :id % 5",
    """UPDATE professionals SET rating_count = rating_count + 1, rating_sum = rating_sum + 3
        WHERE account_id % 5 = :id % 5""",
    "UPDATE professionals SET approval = 'pending', approval_expires_at = NULL WHERE account_id % 7 = :id % 7",
    """UPDATE professionals SET approval = 'approved', approval_expires_at = now() + :later
        WHERE account_id % 7 = :id % 7""",
)


def random_changes(dice: random.Random) -> None:
    """Change rows of all kinds, some of them in transactions that are rolled back, and add some of the changes."""
    ids = list(db.session.execute(select(TaskRequest.id).order_by(TaskRequest.id)).scalars())
    for _ in range(60):
        later = timedelta(hours=dice.randrange(1, 900))
        db.session.execute(text(dice.choice(CHANGES)), {"id": dice.choice(ids), "later": later})
        if dice.random() < 0.4:
            counts.add_changes(limit=dice.randrange(1, 50))
        db.session.rollback() if dice.random() < 0.3 else db.session.commit()


def assert_statistics_match(zone: ZoneInfo) -> None:
    rows = list(db.session.execute(select(TaskRequest)).scalars())
    professionals = list(db.session.execute(select(Professional)).scalars())
    accounts = list(db.session.execute(select(Account)).scalars())
    blocked = [
        sum(one.role == role and one.blocked_at is not None for one in accounts)
        for role in ("customer", "professional")
    ]
    for first, last in RANGES:
        found: dict[str, Any] = queries.statistics(first=first, last=last)
        assert of_requests(found) == counted_requests(rows, first, last, zone=zone), (first, last)
        assert found["visits"] == counted_visits(rows, first, last, zone=zone), (first, last)
        assert found["extra_work"] == counted_lines(rows, first, last, zone=zone), (first, last)
        assert of_professionals(found) == counted_professionals(professionals)
        assert found["waiting"]["total"] == sum(row.status == "requested" for row in rows)
        assert found["waiting"]["unanswered"] == sum(is_unanswered(row) for row in rows)
        assert found["approvals"]["expiring"] == sum(is_expiring(one) for one in professionals)
        assert [found["people"][f"{role}s"]["blocked"] for role in ("customer", "professional")] == blocked


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
    return len(rows), sum((row.price + (row.lines_amount or 0) for row in rows if row.currency == "INR"), Decimal(0))


def counted_visits(rows: list[TaskRequest], first: Any, last: Any, *, zone: ZoneInfo) -> dict[str, Any]:
    visits = [row for row in rows if row.completed_at and is_within(row.completed_at, first, last, zone)]
    started = Counter(row.start_proof or "none" for row in visits if row.started_at)
    arrived = [row.arrived_at - row.date_of_request for row in visits if row.arrived_at]
    late = sum(after > timedelta(minutes=15) for after in arrived)
    return {
        "completed": len(visits),
        "started_by_code": started["code"],
        "started_by_customer": started["customer"],
        "started_without_code": started["none"],
        "start_not_recorded": len(visits) - started.total(),
        "code_share": round(started["code"] / (len(visits) or 1), 4),
        "customer_share": round(started["customer"] / (len(visits) or 1), 4),
        "arrived_late": late,
        "arrived_in_time": len(arrived) - late,
        "arrival_not_recorded": len(visits) - len(arrived),
        "late_share": round(late / (len(arrived) or 1), 4),
        "late_after_minutes": 15,
    }


def counted_lines(rows: list[TaskRequest], first: Any, last: Any, *, zone: ZoneInfo) -> dict[str, Any]:
    closed = [row for row in rows if row.closed_at and is_within(row.closed_at, first, last, zone)]
    tasks = [
        {"task_id": task, "task_name": name, **lines_of([row for row in closed if row.task_id == task])}
        for task, name in db.session.execute(select(Task.id, Task.name))
    ]
    with_lines = sorted(
        (task for task in tasks if task["requests"]), key=lambda task: (-task["value"], task["task_id"])
    )
    return {**lines_of(closed), "top_tasks": with_lines[:10]}


def lines_of(closed: list[TaskRequest]) -> dict[str, Any]:
    ours = [row for row in closed if row.currency == "INR"]
    lines = sum((row.lines_amount or Decimal(0) for row in ours), Decimal(0))
    agreed = sum((row.price for row in ours), Decimal(0))
    return {
        "requests": sum(row.lines_amount is not None for row in closed),
        "value": lines,
        "agreed": agreed,
        "share": round(float(lines / agreed), 4) if agreed else 0.0,
    }


def ranked(counted: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))[:10]


def is_unanswered(row: TaskRequest) -> bool:
    time_limit = timedelta(minutes=market.get().answer_within_minutes)
    return row.status == "requested" and row.created_at < now() - time_limit


def is_expiring(one: Professional) -> bool:
    ends = one.approval_expires_at
    return one.approval == "approved" and ends is not None and ends < now() + queries.EXPIRING_WITHIN


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
