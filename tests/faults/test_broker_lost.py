"""The broker is killed while messages are unacknowledged; the worker process continues."""

import os
import signal
import threading
from contextlib import suppress
from typing import Any

import pytest
import redis
from flask import Flask

from backend.core.db.session import transaction
from backend.core.security.authz import Role
from backend.domain.notifications import create
from backend.jobs.celery_app import make_celery
from backend.launch.embedded import EmbeddedValkey
from backend.settings import Settings
from tests.factories.closed_requests import account
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, children, until
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults
SENT = "SELECT count(*) = :all FROM deliveries WHERE state = 'sent'"


def kill(server: EmbeddedValkey) -> None:
    assert server.pid
    assert server.process
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()


def send(account_id: int, about: str) -> None:
    with transaction():
        create.post([create.Outgoing(account_id, "reminder", about)])


def is_consumed(server: EmbeddedValkey) -> bool:
    """Return whether a worker waits for messages of this broker."""
    with redis.Redis.from_url(server.url) as client:
        return any(one["cmd"] == "brpop" for one in client.client_list())


def test_closed_broker_connection_raises_connection_error(
    own_environ: dict[str, str], own_valkey: EmbeddedValkey
) -> None:
    """As in a worker: one channel for jobs, one for remote control, and both closed as Celery does it."""
    celery = make_celery(Settings.from_env(own_environ))
    taken: list[Any] = []
    connection = celery.connection_for_read()
    celery.amqp.TaskConsumer(connection, on_message=taken.append).consume()
    celery.control.mailbox.Node("worker").listen(channel=connection.channel())
    celery.send_task("doorstep.heartbeat")
    while not taken:
        connection.drain_events(timeout=HANG_SECONDS)
    while not connection.default_channel._in_poll:  # the broker is to be killed during a read
        with suppress(TimeoutError):
            connection.drain_events(timeout=0.1)
    kill(own_valkey)
    connection.collect()
    connection.close()
    with pytest.raises(connection.connection_errors, match="channel is closed"):
        taken[0].ack()
    celery.close()


def test_worker_survives_broker_killed_during_job(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer, own_valkey: EmbeddedValkey
) -> None:
    received, answer = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        received.set()
        answer.wait(HANG_SECONDS)

    smtp.after_data = hold
    worker = jobs.start("worker", MAIL_TIMEOUT_SECONDS="120", WORKER_CONCURRENCY="3")
    jobs.start("beat")
    customer = account(Role.CUSTOMER)
    send(customer, "before")
    assert received.wait(HANG_SECONDS)
    job_processes = {child.pid for child in children(worker)}
    kill(own_valkey)
    own_valkey.start()
    assert wait_until(lambda: is_consumed(own_valkey))
    answer.set()
    send(customer, "after")
    assert until(SENT, all=2)
    assert worker.poll() is None
    assert {child.pid for child in children(worker)} == job_processes
