"""5,000 jobs that do nothing, from commit to done, beside plain Celery with Redis; and how soon a single one starts."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from celery import Celery
from redis import Redis
from sqlalchemy import text

from backend.app import create_app
from backend.core import queue
from backend.core.db.session import db, transaction
from backend.jobs.celery_app import make_celery
from backend.launch import processes
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks.figures import Figure
from benchmarks.servers import environment

JOBS: Final = 5000
BATCH: Final = 1000
CONCURRENCY: Final = 2
GOAL: Final = 0.9
START_GOAL_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 120.0
ROOT: Final = Path(__file__).resolve().parent.parent


def measure() -> Iterable[Figure]:
    """Jobs with a commit each, and the start of a single one."""
    with tempfile.TemporaryDirectory(prefix="doorstep-jobs-") as folder, servers_of(Path(folder)) as settings:
        baseline = _plain(settings)
        figure, start = _ours(settings)
    work = f"{JOBS:,} jobs that do nothing, from commit to done, a commit each"
    yield Figure(work, figure, baseline, figure / baseline, GOAL, note="plain Celery with acks_late beside it")
    yield Figure("a single job, from commit to done", start, None, None, START_GOAL_SECONDS, unit="s", at_most=True)


@contextmanager
def servers_of(folder: Path) -> Iterator[dict[str, str]]:
    """A database and a Valkey of this run's own; yields the settings that name them."""
    postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
    try:
        settings = environment(postgres.start(), valkey.start(), folder)
        yield {**settings, "ENV": "test", "WORKER_CONCURRENCY": str(CONCURRENCY)}
    finally:
        valkey.stop()
        postgres.stop()


@contextmanager
def _worker(command: list[str], settings: Mapping[str, str]) -> Iterator[None]:
    process = processes.spawn([sys.executable, "-m", *command], env=settings, output=subprocess.DEVNULL, cwd=ROOT)
    try:
        yield
    finally:
        processes.end(process)


def _plain(settings: dict[str, str]) -> float:
    """The same number of messages through Celery alone, with acks_late as ours have."""
    celery = plain_app(settings["REDIS_URL"])
    with Redis.from_url(settings["REDIS_URL"]) as valkey:
        command = ["benchmarks.jobs", "plain", settings["REDIS_URL"]]
        with _worker(command, settings):
            _ring(celery, 2 * CONCURRENCY)
            _await(lambda: _count(valkey) == 2 * CONCURRENCY)
            valkey.set("done", 0)
            began = time.perf_counter()
            _ring(celery, JOBS)
            _await(lambda: _count(valkey) == JOBS)
            return JOBS / (time.perf_counter() - began)


def _ring(celery: Celery, number: int) -> None:
    for _ in range(number):
        celery.send_task("plain.nothing", ignore_result=True)


def _count(valkey: "Redis") -> int:
    value = valkey.get("done")
    return int(value) if isinstance(value, (bytes, str)) else 0


def plain_app(url: str) -> Celery:
    """Celery as one would set it up without a job table; the count is how the end is seen."""
    celery = Celery("plain", broker=url)
    celery.conf.update(task_ignore_result=True, task_acks_late=True, task_default_queue="plain")
    valkey = Redis.from_url(url)

    def nothing() -> None:
        valkey.incr("done")

    celery.task(name="plain.nothing")(nothing)
    return celery


def _ours(settings: dict[str, str]) -> tuple[float, float]:
    """Jobs a second, and seconds until a single one is done."""
    app = create_app(Settings.from_env(settings))
    with app.app_context():
        upgrade()
        with _worker(["benchmarks.jobs", "ours"], settings):
            _enqueue(2 * CONCURRENCY)
            _await(lambda: _open() == 0)
            figure = _timed()
            starts = [_single() for _ in range(5)]
        db.session.remove()
        db.engine.dispose()
    return figure, max(starts)


def _timed() -> float:
    began = time.perf_counter()
    _enqueue(JOBS)
    _await(lambda: _open() == 0)
    return JOBS / (time.perf_counter() - began)


@dataclass(frozen=True)
class Nothing:
    """A payload without fields."""


NOTHING: Final = queue.Topic("bench.nothing", Nothing)


def _single() -> float:
    began = time.perf_counter()
    _enqueue(1)
    _await(lambda: _open() == 0, pause=0.005)
    return time.perf_counter() - began


def _enqueue(number: int) -> None:
    for begin in range(0, number, BATCH):
        with transaction():
            queue.enqueue_many(NOTHING, [(None, Nothing())] * min(BATCH, number - begin))


def _open() -> int:
    count = db.session.execute(text("SELECT count(*) FROM jobs WHERE done_at IS NULL")).scalar_one()
    db.session.rollback()
    return int(count)


def _await(is_so: Callable[[], bool], *, pause: float = 0.02) -> None:
    if not processes.wait_until(is_so, seconds=PATIENCE_SECONDS, pause=pause):
        raise SystemExit("the jobs were not done in time")


def _work(kind: str, *arguments: str) -> int:
    """The worker's side: started by this program for itself."""
    options = ["worker", "--loglevel=ERROR", f"--concurrency={CONCURRENCY}", "--without-gossip", "--without-mingle"]
    if kind == "plain":
        plain_app(arguments[0]).start(options)
        return 0
    from backend.jobs import tasks
    from backend.jobs.registry import job

    job(NOTHING)(lambda *_: None)
    settings = Settings.from_env()
    celery = make_celery(settings)
    tasks.register(celery, create_app(settings))
    celery.start(options)
    return 0


if __name__ == "__main__":
    sys.exit(_work(*sys.argv[1:]))
