"""The dashboard's figures, large, 16 at once, beside Flask-Caching's @cached over the same queries."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import requests

from backend.api.resources.dashboard import FRESH_SECONDS
from benchmarks import load, servers
from benchmarks.figures import Figure

AT_ONCE: Final = 16
SECONDS: Final = 6 * FRESH_SECONDS
# Without a pause, thousands of calls between two expiries drown the few that an expiry costs: p99 would not see them.
PAUSE_SECONDS: Final = 0.5
COMPUTED_GOAL: Final = 1.1
LATENCY_GOAL: Final = 0.2
GROWTH_GOAL: Final = 1.3
# Read once by each computation, and by nothing else that runs here.
COMPUTED: Final = """
    SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables WHERE relname = 'market_settings'
"""


def measure() -> Iterator[Figure]:
    """p99 of both, how often the figures were computed in each expiry, and what a caller waits on either market."""
    with _stand("large") as (url, env):
        with servers.web("benchmarks.dashboard_baseline:app", env) as port:
            baseline, _ = _run(port, url, load.get("/stats"))
        ours, computed = _ours(url, env)
    with _stand("small") as (url, env):
        small, _ = _ours(url, env)
    p99, beside = ours.quantile(0.99) * 1000, baseline.quantile(0.99) * 1000
    note = f"{AT_ONCE} at once, each {PAUSE_SECONDS} s after its last answer, for {SECONDS} s"
    yield Figure("dashboard, p99", p99, beside, p99 / beside, LATENCY_GOAL, "ms", at_most=True, note=note)
    note = f"expiry {FRESH_SECONDS} s"
    yield Figure("dashboard, computations an expiry", computed, None, None, COMPUTED_GOAL, "", at_most=True, note=note)
    usual, usual_small = ours.quantile(0.5) * 1000, small.quantile(0.5) * 1000
    grown = usual / usual_small
    yield Figure("dashboard, large beside small", usual, usual_small, grown, GROWTH_GOAL, "ms", at_most=True)


@contextmanager
def _stand(scale: str) -> Iterator[tuple[str, dict[str, str]]]:
    # Without single-flight all callers compute at once: the baseline needs longer than a call may take.
    patient = {"DB_STATEMENT_TIMEOUT_MS": "60000"}
    with servers.postgres(scale) as url, servers.valkey(scale) as valkey_url:
        yield url, {**servers.environment(url, valkey_url, servers.FOLDER / scale), **patient}


def _ours(url: str, env: dict[str, str]) -> tuple[load.Load, float]:
    with servers.web("backend.wsgi:app", env) as port:
        return _run(port, url, load.get("/stats", Authorization=f"Bearer {_token(port, env)}"))


def _run(port: int, url: str, call: bytes) -> tuple[load.Load, float]:
    load.run(port, [call], seconds=2, connections=1)
    before = _computed(url)
    measured = load.run(port, [call], seconds=SECONDS, connections=AT_ONCE, pause=PAUSE_SECONDS)
    return measured, (_computed(url) - before) / (measured.seconds / FRESH_SECONDS)


def _computed(url: str) -> int:
    time.sleep(2)  # the database counts with a delay
    with psycopg.connect(url) as connection:
        row = connection.execute(COMPUTED).fetchone()
    return int(row[0]) if row else 0


def _token(port: int, env: dict[str, str]) -> str:
    credentials = {"username": "admin", "password": env["ADMIN_PASSWORD"], "client": "api"}
    answer = requests.post(f"http://127.0.0.1:{port}/check", json=credentials, timeout=30)
    return str(answer.json()["access_token"])
