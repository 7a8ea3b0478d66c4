"""Monthly reports of all customers of the large market: queries of a batch, memory, time beside the aggregate alone."""

import time
from collections.abc import Callable, Iterator
from typing import Final

import psutil
from sqlalchemy import event, select

from backend.app import create_app
from backend.core.db.session import db
from backend.core.queue import runs
from backend.core.security.authz import Role
from backend.domain.accounts.models import Account
from backend.domain.reports import actions, months
from backend.domain.reports.statistics import compute
from backend.jobs.reports import BATCH
from backend.settings import Settings
from benchmarks import servers
from benchmarks.figures import Figure

QUERIES_GOAL: Final = 10
MEMORY_GOAL_MIB: Final = 32
TIME_GOAL: Final = 4.0
WARM_BATCHES: Final = 3


def measure(scale: str = "large") -> Iterator[Figure]:
    """Every batch is rolled back after it was measured, so that the data stays as it was."""
    with servers.postgres(scale) as url:
        env = servers.environment(url, "redis://127.0.0.1:1/0", servers.FOLDER / scale)
        app = create_app(Settings.from_env({**env, "DB_STATEMENT_TIMEOUT_MS": "120000"}))
        with app.app_context():
            yield from _all_customers()
            db.session.remove()
            db.engine.dispose()


def _all_customers() -> Iterator[Figure]:
    month = months.running().previous
    alone = sum(_aggregate(month, ids) for ids in _batches())
    process, seconds = psutil.Process(), 0.0
    memory: list[int] = []
    queries: set[int] = set()
    customers = 0
    for after, until in runs.id_ranges(actions.CUSTOMER_ID, actions.CUSTOMERS, size=BATCH):
        counted = _count()
        began = time.perf_counter()
        done = actions.send_batch(month, run_id=0, after=after, until=until)
        seconds += time.perf_counter() - began
        db.session.rollback()
        db.session.expunge_all()
        customers += done.sent + done.skipped
        queries.add(len(counted))
        memory.append(process.memory_info().rss)
    grown = (max(memory) - max(memory[:WARM_BATCHES])) / 2**20
    note = f"{customers:,} customers in batches of {BATCH:,}; the baseline is the aggregate query alone"
    yield Figure("monthly reports", seconds, alone, seconds / alone, TIME_GOAL, "s", at_most=True, note=note)
    yield Figure("monthly reports, statements a batch", max(queries), None, None, QUERIES_GOAL, "", at_most=True)
    yield Figure("monthly reports, memory grows", grown, None, None, MEMORY_GOAL_MIB, "MiB", at_most=True)


def _batches() -> list[list[int]]:
    customers = select(Account.id).where(Account.role == Role.CUSTOMER.value).order_by(Account.id)
    ids = list(db.session.execute(customers).scalars())
    db.session.rollback()
    return [ids[begin : begin + BATCH] for begin in range(0, len(ids), BATCH)]


def _aggregate(month: months.Month, ids: list[int]) -> float:
    began = time.perf_counter()
    compute(month, ids)
    seconds = time.perf_counter() - began
    db.session.rollback()
    return seconds


def _count() -> list[str]:
    """The statements from now on, until the next call."""
    statements: list[str] = []
    for listener in _LISTENERS:
        event.remove(db.engine, "before_cursor_execute", listener)
    _LISTENERS.clear()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    _LISTENERS.append(note)
    event.listen(db.engine, "before_cursor_execute", note)
    return statements


_LISTENERS: Final[list[Callable[..., None]]] = []
