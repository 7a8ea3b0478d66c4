"""The dashboard's figures, large, 16 at once, beside Flask-Caching's @cached over the same queries."""

import time
from collections.abc import Iterator
from typing import Final

import psycopg
import requests

from backend.api.resources.stats import FRESH_SECONDS
from benchmarks import load, servers
from benchmarks.figures import Figure

AT_ONCE: Final = 16
SECONDS: Final = 12 * FRESH_SECONDS
# Without a pause, thousands of calls between two expiries drown the few that an expiry costs: p99 would not see them.
PAUSE_SECONDS: Final = 0.5
COMPUTED_GOAL: Final = 1.1
LATENCY_GOAL: Final = 0.2
# Read once by each computation, and by nothing else that runs here.
COMPUTED: Final = """
    SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables WHERE relname = 'market_settings'
"""


def measure(scale: str = "large") -> Iterator[Figure]:
    """p99 of both, and how often the figures were computed in each expiry."""
    with servers.postgres(scale) as url, servers.valkey(scale) as valkey_url:
        # Without single-flight all callers compute at once: the baseline needs longer than a call may take.
        patient = {"DB_STATEMENT_TIMEOUT_MS": "60000"}
        env = {**servers.environment(url, valkey_url, servers.FOLDER / scale), **patient}
        with servers.web("benchmarks.dashboard_baseline:app", env) as port:
            baseline, _ = _run(port, url, load.get("/stats"))
        with servers.web("backend.wsgi:app", env) as port:
            call = load.get("/stats", Authorization=f"Bearer {_token(port, env)}")
            ours, computed = _run(port, url, call)
    p99, beside = ours.quantile(0.99) * 1000, baseline.quantile(0.99) * 1000
    note = f"{AT_ONCE} at once, each {PAUSE_SECONDS} s after its last answer, for {SECONDS} s"
    yield Figure("dashboard, p99", p99, beside, p99 / beside, LATENCY_GOAL, "ms", at_most=True, note=note)
    note = f"expiry {FRESH_SECONDS} s"
    yield Figure("dashboard, computations an expiry", computed, None, None, COMPUTED_GOAL, "", at_most=True, note=note)


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
