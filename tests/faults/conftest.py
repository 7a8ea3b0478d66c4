"""Valkey and mail servers of a single test, which can be killed, frozen and emptied."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from backend.app import create_app
from backend.core import queue
from backend.core.db.session import db
from backend.jobs.dispatch import job_dispatcher
from backend.launch.embedded import EmbeddedValkey
from backend.settings import Settings
from tests.factories.servers import SmtpServer
from tests.faults.processes import JobProcesses, job_processes

CALLERS = 64


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """Start a Valkey server for one test."""
    server = EmbeddedValkey(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_environ(environ: dict[str, str], own_valkey: EmbeddedValkey, smtp: SmtpServer) -> dict[str, str]:
    """Return settings with the test's own servers and short leases."""
    return {
        **environ,
        "REDIS_URL": own_valkey.url,
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(smtp.port),
        "MAIL_TIMEOUT_SECONDS": "30",
        "JOB_LEASE_SECONDS": "3",
        "JOB_SWEEP_SECONDS": "1",
        "WORKER_CONCURRENCY": "2",
    }


@pytest.fixture
def dispatching(app: Flask, settings: Settings, own_environ: dict[str, str]) -> Flask:
    """Return the application, dispatching jobs through the test's own Valkey."""
    queue.init_app(app, dispatcher=job_dispatcher(replace(settings, broker_url=own_environ["REDIS_URL"])))
    return app


@pytest.fixture
def jobs(dispatching: Flask, own_environ: dict[str, str], tmp_path: Path) -> Iterator[JobProcesses]:
    """Return a starter of workers and beats on the test's own servers."""
    with job_processes(own_environ, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def wide_app(environ: dict[str, str], shared_app: Flask) -> Iterator[Flask]:
    """Return an application with a database connection for each concurrent caller."""
    made = create_app(Settings.from_env({**environ, "DB_POOL_SIZE": str(CALLERS)}))
    yield made
    with made.app_context():
        db.engine.dispose()
