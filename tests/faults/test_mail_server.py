"""A hundred mails by real workers to a failing mail server: each arrives, except the rejected one."""

import threading
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.notifications import create
from tests.factories.closed_requests import account
from tests.factories.jobs import deliveries
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, children, until
from tests.waiting import HANG_SECONDS, wait_until

MAILS = 100
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
SETTLED = "SELECT count(*) = :all FROM deliveries WHERE state IN ('sent', 'failed')"
SENT = "SELECT count(*) >= :some FROM deliveries WHERE state = 'sent'"
PUT_OFF = "SELECT count(*) >= :some FROM delivery_attempts WHERE outcome = 'put_off'"
TAKEN_AGAIN = "SELECT attempts > 1 OR error IS NOT NULL FROM jobs WHERE topic = 'notification.deliver'"
DONE = "SELECT done_at IS NOT NULL FROM jobs WHERE topic = 'notification.deliver'"
ALL_DONE = "SELECT count(*) = 0 FROM jobs WHERE done_at IS NULL AND topic = 'notification.deliver'"
DUE_NOW = "UPDATE jobs SET run_at = now() WHERE done_at IS NULL AND lease_until IS NULL"

pytestmark = pytest.mark.faults


def try_again_now() -> None:
    """Make waiting jobs due, as retry intervals grow to minutes."""
    with transaction():
        db.session.execute(text(DUE_NOW))


def post() -> list[int]:
    account_ids = [account(Role.CUSTOMER) for _ in range(MAILS)]
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", "2026-12-01") for account_id in account_ids])
    return account_ids


def test_mails_to_failing_server_each_arrive_once_or_fail_permanently(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    port = smtp.port
    smtp.stop()
    jobs.start("worker")
    jobs.start("beat")
    assert until(READY)
    account_ids = post()
    assert until(PUT_OFF, some=10)
    assert until("SELECT count(*) = 0 FROM deliveries WHERE state <> 'waiting'")

    refused = db.session.execute(
        text("SELECT email FROM accounts WHERE id = :id"), {"id": account_ids[50]}
    ).scalar_one()
    db.session.rollback()
    smtp.answers[refused] = "550 no such mailbox"
    smtp.after_data = lambda _: "421 too busy, come again"
    smtp.start(port)
    try_again_now()
    assert until(PUT_OFF, some=MAILS)
    assert smtp.mails == []

    smtp.after_data, smtp.delay = lambda _: None, 0.2
    try_again_now()
    assert until(SENT, some=10)
    smtp.delay, smtp.drop_after_data = 0.0, True
    try_again_now()
    dropped = len(smtp.mails)
    assert wait_until(lambda: len(smtp.mails) >= dropped + 3)
    smtp.drop_after_data = False

    def are_settled() -> bool:
        try_again_now()
        return until(SETTLED, seconds=2, all=MAILS)

    assert wait_until(are_settled)
    assert Counter(one.state for one in deliveries()) == {"sent": MAILS - 1, "failed": 1}
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == MAILS - 1
    assert {address for address, _ in smtp.mails}.isdisjoint({refused})
    settled = len(smtp.mails)
    try_again_now()
    assert until(ALL_DONE)
    assert len(smtp.mails) == settled


def test_delivery_by_worker_frozen_beyond_its_lease_is_sent_once(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    worker = jobs.start("worker", WORKER_CONCURRENCY="3")  # one process never runs bulk mail
    jobs.start("beat")
    assert until(READY)
    received, answer = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        received.set()
        answer.wait(HANG_SECONDS)

    smtp.after_data = hold
    account_id = account(Role.CUSTOMER)
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", "2026-12-01")])
    assert received.wait(HANG_SECONDS)
    (sender,) = [
        child
        for child in children(worker)
        if any(one.raddr and one.raddr.port == smtp.port for one in child.net_connections("tcp"))
    ]
    sender.suspend()
    answer.set()
    assert until(TAKEN_AGAIN), "the lease expires and another process takes the job"
    sender.resume()
    assert until(DONE)
    (delivery,) = deliveries()
    assert (delivery.state, delivery.attempts) == ("sent", 1)
    assert len(smtp.mails) == 1
