"""How long notifications wait beside three exports of a million rows: one process for each, or two for both."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import select, text

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.exports import actions
from backend.domain.notifications import create
from backend.launch import processes
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks import delivery, export, servers
from benchmarks.figures import Figure
from tests.factories import closed_requests as made

EXPORTS: Final = 3
NOTIFICATIONS: Final = 20
PAUSE_SECONDS: Final = 1.0  # between two notifications, so that they meet exports at different points
GOAL_SECONDS: Final = 1.0
HANG_SECONDS: Final = 900.0
ROOT: Final = Path(__file__).resolve().parent.parent
WORKER: Final = ("backend.worker", "worker")
BEAT: Final = ("backend.worker", "beat")
# Each row: what the figure is called, and the settings of its workers.
WAYS: Final[dict[str, Sequence[Mapping[str, str]]]] = {
    "a worker for each": (
        {"WORKER_QUEUES": "urgent,bulk", "WORKER_CONCURRENCY": "1"},
        {"WORKER_QUEUES": "exports", "WORKER_CONCURRENCY": "1"},
    ),
    "one worker of two processes": ({"WORKER_CONCURRENCY": "2"},),
}
WAITS: Final = """
    SELECT EXTRACT(EPOCH FROM sent_at - created_at) FROM deliveries
     WHERE subject LIKE :subject AND sent_at IS NOT NULL ORDER BY 1
"""
RUNNING: Final = "SELECT count(*) FROM exports WHERE status IN ('queued', 'running')"
FAILED: Final = "SELECT count(*) FROM exports WHERE status NOT IN ('queued', 'running', 'done')"


def measure() -> Iterator[Figure]:
    """Wait of each notification from commit to the mail server, while three exports are written."""
    with TemporaryDirectory(prefix="doorstep-lanes-") as folder, ExitStack() as stack:
        postgres, valkey = EmbeddedPostgres(Path(folder) / "postgres"), EmbeddedValkey(Path(folder) / "valkey")
        stack.callback(postgres.destroy)
        stack.callback(valkey.stop)
        port = stack.enter_context(delivery._sink())  # noqa: SLF001 - compare_work knows it by this name in any commit
        settings = servers.environment(postgres.start(), valkey.start(), Path(folder)) | {
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(port),
        }
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            upgrade()
        bootstrap.run(app)
        with app.app_context():
            account_id = made.account(Role.CUSTOMER)
            export.fill(settings["DATABASE_URL"])
            for name, workers in WAYS.items():
                yield _waits(name, workers, settings, account_id)
            db.session.remove()
            db.engine.dispose()


# Of 20, the 99th percentile is the longest.
def _waits(name: str, workers: Sequence[Mapping[str, str]], settings: Mapping[str, str], account_id: int) -> Figure:
    with _programs(settings, workers):
        _post(account_id, f"warm {name}")
        _until(lambda: len(_sent(f"warm {name}%")) == 1)
        _ask()
        _until(lambda: _count("SELECT coalesce(sum(rows), 0) FROM exports WHERE status = 'running'") > 0)
        beside = 0
        for number in range(NOTIFICATIONS):
            _post(account_id, f"timed {name} {number}")
            beside += _count(RUNNING) > 0
            time.sleep(PAUSE_SECONDS)
        _until(lambda: len(_sent(f"timed {name} %")) == NOTIFICATIONS and _count(RUNNING) == 0)
    if failed := _count(FAILED):
        raise SystemExit(f"{failed} exports failed")
    waits = _sent(f"timed {name} %")
    note = (
        f"{EXPORTS} exports of {export.ROWS:,} rows, {NOTIFICATIONS} notifications, {beside} while exports were "
        f"written; from commit to the mail server, median {waits[len(waits) // 2]:.2f} s"
    )
    return Figure(
        f"a notification beside exports, p99, {name}", waits[-1], None, None, GOAL_SECONDS, "s", at_most=True,
        note=note,
    )  # fmt: skip


@contextmanager
def _programs(settings: Mapping[str, str], workers: Sequence[Mapping[str, str]]) -> Iterator[None]:
    commands = [(WORKER, {**settings, **more}) for more in workers] + [(BEAT, dict(settings))]
    started = [
        processes.spawn([sys.executable, "-m", *command], env=env, output=subprocess.DEVNULL, cwd=ROOT)
        for command, env in commands
    ]
    try:
        yield
    finally:
        for process in started:
            processes.end(process)


def _ask() -> None:
    admin = db.session.execute(select(Account.id).where(Account.role == Role.ADMIN.value)).scalar_one()
    for _ in range(EXPORTS):
        with transaction():
            actions.ask(Actor(admin, Role.ADMIN))


def _post(account_id: int, subject: str) -> None:
    with transaction():
        create.post([create.Outgoing(account_id, delivery.KIND, subject, delivery.PARAMS)])


def _sent(subject: str) -> list[float]:
    found = db.session.execute(text(WAITS), {"subject": subject}).scalars().all()
    db.session.rollback()
    return [float(seconds) for seconds in found]


def _count(query: str) -> int:
    found = db.session.execute(text(query)).scalar_one()
    db.session.rollback()
    return int(found)


def _until(is_so: Callable[[], bool]) -> None:
    if not processes.wait_until(is_so, seconds=HANG_SECONDS, pause=0.05):
        raise SystemExit("exports or notifications were not done in time")
