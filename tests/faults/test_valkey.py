"""Valkey emptied, frozen, killed: it is only the doorbell; and two beats that tick at once."""

import os
import signal
import time

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.market.models import MarketSetting
from backend.domain.notifications import create
from backend.launch.embedded import EmbeddedValkey
from tests.factories.closed_requests import account
from tests.factories.servers import SmtpServer
from tests.faults.processes import Crew, until

pytestmark = pytest.mark.faults
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
SENT = "SELECT count(*) = :all FROM deliveries WHERE state = 'sent'"


def post(person: int, number: int, prefix: str) -> None:
    with transaction():
        create.post([create.Outgoing(person, "reminder", f"{prefix}{i}") for i in range(number)])


def test_valkey_emptied_frozen_and_killed(
    ringing: Flask, jobs: Crew, smtp: SmtpServer, own_valkey: EmbeddedValkey
) -> None:
    url = own_valkey.url
    person = account(Role.CUSTOMER)
    # emptied before a worker is there: every bell is lost
    post(person, 50, "emptied")
    time.sleep(0.5)
    with redis.Redis.from_url(url) as valkey:
        valkey.flushall()
    jobs.start("worker")
    for _ in range(2):
        jobs.start("beat")
    assert until(SENT, seconds=45, all=50)
    # frozen: a call still ends at once, and the work goes on by itself when the fault is over
    pid = own_valkey.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        post(person, 30, "frozen")
        assert time.monotonic() - began < 10
        time.sleep(3)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert until(SENT, seconds=30, all=80)
    # killed, and started again
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    post(person, 30, "killed")
    assert time.monotonic() - began < 10
    time.sleep(1)
    assert own_valkey.process
    own_valkey.process.wait()
    assert own_valkey.start() == url
    assert until(SENT, seconds=45, all=110)
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == len(smtp.mails) == 110


def test_two_beats_begin_each_period_once(ringing: Flask, jobs: Crew) -> None:
    there = db.session.execute(text("SELECT to_char(now() AT TIME ZONE 'Asia/Kolkata', 'HH24:MI')")).scalar_one()
    with transaction():
        db.session.add(MarketSetting(name="reminder_at", value=there))
    for kind in ("worker", "beat", "beat"):
        jobs.start(kind)
    done = "SELECT count(*) > 0 FROM job_runs WHERE name = 'daily-reminders' AND status = 'done'"
    assert until(done, seconds=45)
    time.sleep(2)
    twice = "SELECT count(*) FROM (SELECT 1 FROM job_runs GROUP BY name, period HAVING count(*) > 1) d"
    assert db.session.execute(text(twice)).scalar_one() == 0
    assert db.session.execute(text("SELECT count(*) FROM job_runs WHERE name = 'daily-reminders'")).scalar_one() == 1
