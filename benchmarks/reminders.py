"""Daily reminders on the large market: queries a batch, memory, time to write 100,000 professionals' reminders."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil
from flask import Flask
from sqlalchemy import event, select, text

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.core.queue import Job, admin, runs
from backend.jobs import runner
from backend.settings import Settings
from benchmarks import servers
from benchmarks.data.scales import SCALES
from benchmarks.figures import Figure

NAME: Final = "daily-reminders"
QUERIES_GOAL: Final = 15
GROWTH_GOAL_MIB: Final = 32
SECONDS_GOAL: Final = 300


def measure(scale: str = "large") -> Iterable[Figure]:
    """A whole fan-out; nothing is sent, and what was written is removed afterwards."""
    with servers.postgres(scale) as url, TemporaryDirectory() as folder:
        settings = servers.environment(url, "redis://127.0.0.1:1/0", Path(folder))
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            yield from _fan_out(app, scale)
            db.session.remove()
            db.engine.dispose()


def _fan_out(app: Flask, scale: str) -> Iterable[Figure]:
    app.extensions["job_dispatcher"] = lambda _, **__: None
    import_module("backend.jobs.reminders")
    with transaction():
        run_id = runs.start(admin.scheduled(NAME), params={}, requested_by=None)
    process = psutil.Process()
    batches, slowest, after_first = 0, 0.0, 0
    with _counted() as statements:
        began = time.perf_counter()
        while job_id := _next():
            step = time.perf_counter()
            runner.run(job_id)
            slowest = max(slowest, time.perf_counter() - step)
            batches += 1
            after_first = after_first or process.memory_info().rss
        seconds = time.perf_counter() - began
    grown = (process.memory_info().rss - after_first) / 2**20
    professionals = SCALES[scale].professionals
    written = _clean(run_id)
    note = f"{written:,} written of {professionals:,} looked at, {batches} jobs, slowest {slowest:.2f} s"
    yield Figure(f"daily reminders, {scale}: fan-out", seconds, None, None, SECONDS_GOAL, "s", at_most=True, note=note)
    each = len(statements) / max(1, batches)
    yield Figure(f"daily reminders, {scale}: queries a batch", each, None, None, QUERIES_GOAL, "queries", at_most=True)
    yield Figure(f"daily reminders, {scale}: memory grown", grown, None, None, GROWTH_GOAL_MIB, "MiB", at_most=True)


def _next() -> int | None:
    free = select(Job.id).where(Job.topic.in_(["reminders.run", "reminders.batch"]), Job.done_at.is_(None))
    job_id = db.session.execute(free.order_by(Job.id).limit(1)).scalar_one_or_none()
    db.session.rollback()
    return job_id


def _clean(run_id: int) -> int:
    with transaction():
        db.session.execute(text("SET LOCAL statement_timeout = 0"))
        db.session.execute(text("DELETE FROM jobs WHERE topic <> 'none'"))
        gone = db.session.execute(text("DELETE FROM deliveries WHERE run_id = :run RETURNING 1"), {"run": run_id})
        written = len(gone.all())
        db.session.execute(text("DELETE FROM job_runs WHERE id = :run"), {"run": run_id})
    return written


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement[:40])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
