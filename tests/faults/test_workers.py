"""Workers killed during deliveries: nothing is lost, and repeated mails keep their Message-ID."""

import os
import signal
from collections import Counter

import pytest
from flask import Flask

from backend.core.db.session import transaction
from backend.core.security.authz import Role
from backend.domain.notifications import create
from tests.factories.closed_requests import account
from tests.factories.jobs import deliveries
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, children, until
from tests.waiting import wait_until

MAILS = 1000
SETTLED = "SELECT count(*) = :all FROM deliveries WHERE state IN ('sent', 'failed')"
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
CRASHES = ("job.claimed", "delivery.sent", "job.before_commit", "job.after_commit")

pytestmark = pytest.mark.faults


def post(number: int, *, prefix: str = "day") -> int:
    """Create this many deliveries to one customer, each for a different day."""
    account_id = account(Role.CUSTOMER)
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", f"{prefix}{i}") for i in range(number)])
    return account_id


def repeats(smtp: SmtpServer) -> int:
    """Return how many mails were repeated, by their Message-ID."""
    return sum(times - 1 for times in Counter(mail["Message-ID"] for _, mail in smtp.mails).values())


def test_deliveries_by_killed_worker_process_are_all_settled(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    worker = jobs.start("worker")
    for _ in range(2):
        jobs.start("beat")
    assert until(READY)
    refused: list[str] = []

    def refuse_one(_: str) -> str | None:
        if len(smtp.mails) == MAILS // 2 and not refused:
            refused.append("this one")
            return "550 not this one"
        return None

    smtp.after_data = refuse_one
    post(MAILS)
    assert wait_until(lambda: len(smtp.mails) > MAILS // 5)
    children(worker)[0].kill()
    assert until(SETTLED, all=MAILS)
    assert Counter(one.state for one in deliveries()) == {"sent": MAILS - 1, "failed": 1}
    sent = {mail["Message-ID"] for _, mail in smtp.mails}
    assert len(sent) == MAILS - 1
    assert repeats(smtp) <= 1


def test_deliveries_by_killed_worker_are_finished_by_another(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    first = jobs.start("worker", WORKER_CONCURRENCY="1")
    jobs.start("beat")
    assert until(READY)
    post(200)
    assert wait_until(lambda: len(smtp.mails) > 30)
    os.killpg(first.pid, signal.SIGKILL)
    jobs.start("worker")
    assert until(SETTLED, all=200)
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == 200
    assert repeats(smtp) <= 1


def test_deliveries_after_crash_at_every_failpoint_are_sent(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    jobs.start("worker", CRASH_AT=",".join(CRASHES), WORKER_CONCURRENCY="1")
    jobs.start("beat")
    assert until(READY)
    account_id = post(3)
    program = (
        "from backend.app import create_app\n"
        "from backend.core.db.session import transaction\n"
        "from backend.domain.notifications import create\n"
        "app = create_app()\n"
        "with app.app_context(), transaction():\n"
        f"    create.post([create.Outgoing({account_id}, 'reminder', 'before dispatch')])\n"
    )
    assert jobs.run(program, CRASH_AT="queue.before_ring") == -signal.SIGKILL
    assert until(SETTLED, all=4)
    assert {one.state for one in deliveries()} == {"sent"}
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == 4
    assert repeats(smtp) <= 2  # two failpoints are between the server's 250 and the commit
