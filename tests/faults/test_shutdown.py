"""Job processes that are stopped while the broker or a job hangs."""

import os
import pickle
import signal
import subprocess
import threading
from pathlib import Path

import psutil
import pytest
import redis
from billiard.einfo import ExceptionInfo
from flask import Flask

from backend.core.db.session import transaction
from backend.core.security.authz import Role
from backend.domain.notifications import create
from backend.jobs import tasks
from backend.jobs.celery_app import make_celery
from backend.launch.embedded import EmbeddedValkey
from backend.settings import Settings
from tests.factories.closed_requests import account
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults


def waits_for_response(process: subprocess.Popen[bytes], server: EmbeddedValkey) -> bool:
    """Return whether the process has sent data that the server has not read yet."""
    ends = {one.laddr for one in psutil.Process(process.pid).net_connections("tcp") if one.raddr}
    queued = Path("/proc/net/tcp").read_text().splitlines()[1:]
    for line in queued:
        local, remote, queues = (line.split()[place] for place in (1, 2, 4))
        port, from_port = int(local.split(":")[1], 16), int(remote.split(":")[1], 16)
        unread = int(queues.split(":")[1], 16)
        if port == server.port and unread and any(end.port == from_port for end in ends):
            return True
    return False


def test_beat_stops_while_broker_does_not_respond(jobs: JobProcesses, own_valkey: EmbeddedValkey) -> None:
    beat = jobs.start("beat")
    with redis.Redis.from_url(own_valkey.url) as client:
        assert wait_until(lambda: len(client.client_list()) > 1)
    assert own_valkey.pid
    os.kill(own_valkey.pid, signal.SIGSTOP)
    try:
        assert wait_until(lambda: waits_for_response(beat, own_valkey))
        beat.terminate()
        assert beat.wait(timeout=HANG_SECONDS) == 0
    finally:
        os.kill(own_valkey.pid, signal.SIGCONT)


def test_task_error_is_short_enough_for_a_pipe(dispatching: Flask, own_environ: dict[str, str]) -> None:
    celery = make_celery(Settings.from_env(own_environ))
    tasks.register(celery, dispatching)

    def fails() -> None:
        raise ValueError("x" * 100_000)

    task = celery.task(name="fails")(fails)
    with pytest.raises(tasks.TaskFailed) as failed:
        task()
    assert len(pickle.dumps(ExceptionInfo((failed.type, failed.value, failed.tb)))) < 32_768, (
        "half of a pipe's capacity"
    )
    assert failed.value.__cause__ is None


def test_worker_with_hanging_job_is_stopped_after_shutdown_time(
    dispatching: Flask, jobs: JobProcesses, smtp: SmtpServer
) -> None:
    received, answer = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        received.set()
        answer.wait(HANG_SECONDS)

    smtp.after_data = hold
    worker = jobs.start("worker", MAIL_TIMEOUT_SECONDS="120", SHUTDOWN_SECONDS="1")
    jobs.start("beat")
    customer = account(Role.CUSTOMER)
    with transaction():
        create.post([create.Outgoing(customer, "reminder", "held")])
    assert received.wait(HANG_SECONDS)
    worker.terminate()
    assert worker.wait(timeout=HANG_SECONDS) == 1, "0 would mean that it waited for the job"
    answer.set()
