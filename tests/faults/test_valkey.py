"""Valkey emptied, frozen and killed loses no job; two beats tick at once."""

import os
import signal

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.queue import QUEUES
from backend.core.security.authz import Role
from backend.domain.market.models import MarketSetting
from backend.domain.notifications import create
from backend.jobs import schedule
from backend.launch.embedded import EmbeddedValkey
from tests.factories.closed_requests import account
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, until
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
SENT = "SELECT count(*) = :all FROM deliveries WHERE state = 'sent'"


def post(account_id: int, number: int, prefix: str) -> None:
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", f"{prefix}{i}") for i in range(number)])


def failed_dispatches(caplog: pytest.LogCaptureFixture) -> int:
    """Return how often dispatching to the broker failed."""
    return sum(record.name == "backend.jobs.dispatch" for record in caplog.records)


def test_jobs_after_valkey_is_emptied_frozen_or_killed_are_done_once(
    dispatching: Flask,
    jobs: JobProcesses,
    smtp: SmtpServer,
    own_valkey: EmbeddedValkey,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = own_valkey.url
    account_id = account(Role.CUSTOMER)
    # emptied before a worker runs, so all messages are lost
    post(account_id, 50, "emptied")
    with redis.Redis.from_url(url) as valkey:
        assert wait_until(lambda: valkey.exists(*QUEUES.values()) > 0)
        valkey.flushall()
    worker = jobs.start("worker")
    for _ in range(2):
        jobs.start("beat")
    assert until(SENT, all=50)
    # frozen: calls still return at once, and the jobs are done after the fault
    pid = own_valkey.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        post(account_id, 30, "frozen")  # returns while the broker does not respond
        assert wait_until(lambda: failed_dispatches(caplog) >= 1)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert until(SENT, all=80)
    # killed and restarted
    os.kill(pid, signal.SIGKILL)
    post(account_id, 30, "killed")
    assert wait_until(lambda: failed_dispatches(caplog) >= 2)
    assert own_valkey.process
    own_valkey.process.wait()
    assert own_valkey.start() == url
    assert until(SENT, all=110)
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == len(smtp.mails) == 110
    assert worker.poll() is None


def test_beats_running_concurrently_start_each_period_once(dispatching: Flask, jobs: JobProcesses) -> None:
    there = db.session.execute(text("SELECT to_char(now() AT TIME ZONE 'Asia/Kolkata', 'HH24:MI')")).scalar_one()
    with transaction():
        db.session.add(MarketSetting(name="reminder_at", value=there))
    for kind in ("worker", "beat", "beat"):
        jobs.start(kind)
    done = "SELECT count(*) > 0 FROM job_runs WHERE name = 'daily-reminders' AND status = 'done'"
    assert until(done)
    for _ in range(2):
        schedule.tick()
    twice = "SELECT count(*) FROM (SELECT 1 FROM job_runs GROUP BY name, period HAVING count(*) > 1) d"
    assert db.session.execute(text(twice)).scalar_one() == 0
    assert db.session.execute(text("SELECT count(*) FROM job_runs WHERE name = 'daily-reminders'")).scalar_one() == 1
