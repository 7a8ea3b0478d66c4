"""Workers while bulk mail meets a slow mail server, and while the broker accepts no messages."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.lanes import QUEUES
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import sign_in
from backend.domain.exports import actions as exports
from backend.domain.notifications import create
from backend.launch.embedded import EmbeddedValkey
from tests.factories.closed_requests import account
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, until
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
BULK_MAILS = 600
READY = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '5 seconds'"
EXPORT_DONE = "SELECT count(*) = 1 FROM exports WHERE status = 'done'"
SOME_SENT = "SELECT count(*) > 0 FROM deliveries WHERE kind = 'reminder' AND state = 'sent'"
BULK_SENT = "SELECT count(*) FROM deliveries WHERE kind = 'reminder' AND state = 'sent'"


def post(number: int) -> None:
    account_id = account(Role.CUSTOMER)
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", f"day{i}") for i in range(number)])


def address_of(account_id: int) -> str:
    email = db.session.execute(text("SELECT email FROM accounts WHERE id = :id"), {"id": account_id}).scalar_one()
    db.session.rollback()
    return str(email)


@pytest.mark.parametrize("job_processes", ["1", "2", "3"])
def test_urgent_jobs_are_done_while_bulk_mail_waits(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer, job_processes: str
) -> None:
    admin, forgetful = account(Role.ADMIN), account(Role.CUSTOMER)
    address = address_of(forgetful)
    smtp.delay = 0.5
    jobs.start("worker", WORKER_CONCURRENCY=job_processes)
    jobs.start("beat")
    assert until(READY)
    post(BULK_MAILS)
    assert until(SOME_SENT)
    with transaction():
        exports.ask(Actor(admin, Role.ADMIN))
        sign_in.forgot(address)
    assert until(EXPORT_DONE)
    assert wait_until(lambda: bool(smtp.to(address)))
    assert db.session.execute(text(BULK_SENT)).scalar_one() < BULK_MAILS / 2
    db.session.rollback()


def test_worker_of_some_queues_leaves_jobs_of_others(dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer) -> None:
    admin, other = account(Role.ADMIN), account(Role.CUSTOMER)
    jobs.start("worker", WORKER_QUEUES="urgent,bulk", WORKER_CONCURRENCY="1")
    with transaction():
        exports.ask(Actor(admin, Role.ADMIN))
    post(3)
    address = address_of(other)
    with transaction():
        sign_in.forgot(address)
    assert wait_until(lambda: bool(smtp.to(address)) and len(smtp.mails) == 4)
    assert until("SELECT count(*) = 1 FROM exports WHERE status = 'queued'")
    jobs.start("worker", WORKER_QUEUES="exports", WORKER_CONCURRENCY="1")
    assert until(EXPORT_DONE)


def reject_writes(broker: redis.Redis) -> None:
    """Make the broker reject every command that could need memory, but not PING."""
    broker.config_set("maxmemory", "1")


def replace_queue(broker: redis.Redis) -> None:
    """Replace the queue by a key of another type."""
    broker.delete(*QUEUES.values())
    broker.set("doorstep", "no list")


@pytest.mark.parametrize("spoil", [reject_writes, replace_queue])
def test_jobs_are_done_while_broker_accepts_no_messages(
    dispatching: Flask,
    jobs: JobProcesses,
    smtp: SmtpServer,
    own_valkey: EmbeddedValkey,
    spoil: Callable[[redis.Redis], None],
) -> None:
    jobs.start("worker")
    jobs.start("beat")
    assert until(READY)
    with redis.Redis.from_url(own_valkey.url) as broker:
        spoil(broker)
        with transaction():
            sign_in.forgot(address_of(account(Role.CUSTOMER)))
        post(30)
        assert wait_until(lambda: len(smtp.mails) == 31)
        fresh = "SELECT count(*) > 0 FROM heartbeats WHERE at > now() - interval '12 seconds'"
        assert until(fresh)
        assert until("SELECT count(*) > 0 FROM job_runs WHERE created_at > now() - interval '1 minute'")
