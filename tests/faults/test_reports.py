"""Monthly reports through killed workers: one for each customer."""

import os
import signal
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.queue import admin, runs
from backend.domain.notifications.models import Delivery
from backend.domain.reports import actions
from tests.factories.crowd import ACCOUNTS
from tests.factories.jobs import deliveries, fresh_run
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, until
from tests.waiting import wait_until

CUSTOMERS = 400
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
DONE = "SELECT status = 'done' FROM job_runs WHERE id = :run"

pytestmark = pytest.mark.faults


def ask_for(month: str) -> int:
    with transaction():
        row = admin.scheduled("monthly-reports")
        return runs.start(row, params=actions.check({"month": month}), requested_by=None)


def test_report_run_with_killed_worker_sends_one_report_per_customer(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    """A process dies before it commits a batch; then the whole worker dies after sending some mails."""
    with transaction():
        customers = set(db.session.execute(ACCOUNTS, {"role": "customer", "many": CUSTOMERS}).scalars())
        db.session.execute(text("UPDATE accounts SET created_at = '2026-09-30'"))
    first = jobs.start("worker", CRASH_AT="reports.written", WORKER_CONCURRENCY="1")
    jobs.start("beat")
    assert until(READY)
    run = ask_for("2026-10")
    assert wait_until(lambda: len(smtp.mails) > CUSTOMERS // 8)
    assert len(smtp.mails) < CUSTOMERS
    os.killpg(first.pid, signal.SIGKILL)
    jobs.start("worker")
    assert until(DONE, run=run)
    assert_one_each(customers, deliveries())
    sent = Counter(mail["Message-ID"] for _, mail in smtp.mails)
    assert len(sent) == CUSTOMERS
    assert sum(sent.values()) - CUSTOMERS <= 1
    finished = fresh_run(run)
    assert (finished.sent, finished.failed, finished.skipped) == (CUSTOMERS, 0, 0)
    again = ask_for("2026-10")
    assert until(DONE, run=again)
    assert (fresh_run(again).sent, fresh_run(again).skipped) == (0, CUSTOMERS)
    assert len(deliveries()) == CUSTOMERS


def assert_one_each(customers: set[int], found: list[Delivery]) -> None:
    assert Counter(one.account_id for one in found) == Counter(customers)
    assert {(one.kind, one.subject, one.state) for one in found} == {("report", "2026-10", "sent")}
    kept = db.session.execute(text("SELECT count(*), count(DISTINCT customer_id) FROM monthly_reports")).one()
    assert tuple(kept) == (len(customers), len(customers))
