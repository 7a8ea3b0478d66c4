"""Every scheduled job delivered twice, run concurrently, and started twice has the outcome of one run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.queue import Job, runs
from backend.core.queue.schedule import Scheduled
from backend.core.security.authz import Role
from backend.domain.exports.models import Export
from backend.domain.market.models import MarketSetting
from backend.jobs import reminders, reports, runner, schedule
from tests.conftest import empty_the_market
from tests.factories import closed_requests as made
from tests.factories.jobs import work

WORKERS = 4
WITHOUT_FINDINGS = ("availability-recount", "document-sweep")
# The outcome of a job, without columns that differ between two equally filled databases.
OUTCOME = {
    "requests": "SELECT id, status, asked_until IS NULL, version FROM task_requests",
    "history": "SELECT request_id, action FROM request_events",
    "notifications": "SELECT account_id, kind, request_id FROM notifications",
    "deliveries": "SELECT account_id, kind, state, attempts FROM deliveries",
    "sent": "SELECT account_id, kind, outcome FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id",
    "reports": "SELECT customer_id, month::text FROM monthly_reports",
    "professionals": "SELECT account_id, approval FROM professionals",
    "exports": "SELECT id, dropped_at IS NULL FROM exports",
    "offers": "SELECT * FROM task_places",
    "counted": "SELECT name, sum(sent), sum(failed) FROM job_runs GROUP BY name",
}

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "BATCH", 3)
    monkeypatch.setattr(reminders, "BATCH", 3)


def fill_marketplace() -> None:
    """Create data for each of the jobs to process."""
    of = made.market()
    past, soon = now() - timedelta(hours=2), now() + timedelta(days=2)
    for _ in range(4):
        made.account(Role.CUSTOMER)
        other = made.professional(approval_expires_at=now() + timedelta(days=3))
        with transaction():
            seen = {"id": other, "at": now() - timedelta(days=2)}
            db.session.execute(text("UPDATE accounts SET last_seen_at = :at WHERE id = :id"), seen)
            db.session.execute(
                text("INSERT INTO professional_tasks (account_id, task_id) VALUES (:id, :task)"),
                {"id": other, "task": of.task_id},
            )
        made.request(of, status="requested", date_of_request=past, created_at=past)
        asked: dict[str, Any] = {"asked_professional_id": of.professional_id, "asked_until": past}
        made.request(of, status="requested", date_of_request=soon, created_at=past, **asked)
        made.request(of)
    made.professional(approval_expires_at=past)
    visit_at = now() + timedelta(minutes=90)
    made.request(of, status="accepted", at=visit_at + timedelta(hours=1), date_of_request=visit_at, accepted_at=past)
    export = {"status": "done", "store_key": "1-gone.csv", "size": 1, "sha256": "0", "finished_at": past}
    with transaction():
        db.session.add(MarketSetting(name="visit_reminders", value="on"))
        earlier = {"at": now() - timedelta(days=90)}  # reports go only to accounts that existed in that month
        db.session.execute(text("UPDATE accounts SET created_at = :at"), earlier)
        by = of.customer_id
        db.session.add(Export(requested_by=by, rows=0, created_at=past, expires_at=past, **export))


def start(row: Scheduled, times: int = 1) -> None:
    with transaction():
        for _ in range(times):
            runs.start(row, params=row.check({}), requested_by=None)


def open_ids() -> list[int]:
    free = select(Job.id).where(Job.done_at.is_(None), Job.dead_at.is_(None), Job.run_at <= func.now())
    ids = list(db.session.execute(free.order_by(Job.id)).scalars())
    db.session.rollback()
    return ids


def delivered_twice(_: Flask) -> None:
    """Run each job twice, as after a lost acknowledgement."""
    while ids := open_ids():
        for job_id in [*ids, *ids]:
            runner.run(job_id)
    assert db.session.execute(select(func.max(Job.attempts))).scalar_one() == 1


def run_concurrently(app: Flask) -> None:
    """Run all jobs in all workers."""

    def worker(_: int) -> None:
        with app.app_context():
            for _ in range(60):
                if not (ids := open_ids()):
                    return
                runner.run_many(ids)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(worker, range(WORKERS)))


def outcome() -> dict[str, Any]:
    with transaction():  # delayed jobs are run as well
        db.session.execute(update(Job).where(Job.done_at.is_(None)).values(run_at=func.now()))
    work(now=True)
    found = {name: sorted(map(tuple, db.session.execute(text(query)))) for name, query in OUTCOME.items()}
    assert db.session.execute(select(func.count()).where(Job.done_at.is_(None))).scalar_one() == 0
    db.session.rollback()
    return found


def once(row: Scheduled) -> dict[str, Any]:
    empty_the_market()
    fill_marketplace()
    start(row)
    return outcome()


@pytest.mark.parametrize("row", schedule.TABLE, ids=lambda row: row.name)
@pytest.mark.parametrize(("way", "times"), [(delivered_twice, 1), (run_concurrently, 1), (run_concurrently, 2)])
def test_scheduled_job_delivered_twice_or_concurrently_has_outcome_of_one_run(
    app: Flask, row: Scheduled, way: Callable[[Flask], None], times: int
) -> None:
    wanted = once(row)
    assert wanted["counted"][0][1] > 0 or row.name in WITHOUT_FINDINGS
    empty_the_market()
    fill_marketplace()
    start(row, times)
    way(app)
    assert outcome() == wanted
