"""How long housekeeping takes on a large market: `python -m benchmarks.housekeeping [SCALE]`.

The market is copied within its server; the copy gets five million notifications over fourteen months, and goes at the
end. Periods are shorter than by default, so that every part has rows to delete. Each part then runs until it finds
less than a batch, as the product runs it: each batch in a transaction of its own.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.jobs.housekeeping import PARTS, ROUNDS, Part
from backend.settings import Settings
from benchmarks import servers

COPY: Final = "housekeeping"
GOAL_SECONDS: Final = 1.0
NOTIFICATIONS: Final = 5_000_000
MONTHS: Final = 14
PERIODS: Final = {
    "NOTIFICATIONS_KEEP_DAYS": "390",
    "DELIVERIES_KEEP_DAYS": "300",
    "REPORTS_KEEP_MONTHS": "3",
    "SESSIONS_KEEP_DAYS": "5",
    "JOBS_KEEP_DAYS": "1",
    "PHOTO_KEEP_DAYS": "100",
}
MORE: Final = f"""
    INSERT INTO notifications (account_id, kind, title, body, created_at)
    SELECT ids[1 + n % cardinality(ids)], 'request_closed', 'Request closed', 'Plumbing at your home is closed.',
           now() - interval '{MONTHS} months' * (1 - n / {NOTIFICATIONS}.0)
      FROM generate_series(1, {NOTIFICATIONS}) n, (SELECT array_agg(id) AS ids FROM accounts) a
"""
END_OTHERS: Final = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
SIZES: Final = ("notifications", "deliveries", "jobs", "sessions", "task_requests")


class Taken(NamedTuple):
    """What one part did. Times are in seconds."""

    name: str
    batches: int
    rows: int
    longest: float
    last: float  # of the last batch, which in most parts found little or nothing


def take(app: Flask, part: Part) -> Taken:
    """Run a part until there is nothing more, or as often as one run of housekeeping does."""
    times, rows = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with app.app_context(), transaction():
            found = part.work(part.batch)
        times.append(time.perf_counter() - began)
        looked_at, done = (found, found) if isinstance(found, int) else found
        rows += done
        if looked_at < part.batch:
            break
    return Taken(part.name, len(times), rows, max(times), times[-1])


def measure(scale: str) -> tuple[dict[str, int], list[Taken], list[Taken]]:
    """Return the rows of the largest tables, and what each part takes in a run and in the one after it."""
    with servers.postgres(scale) as url, tempfile.TemporaryDirectory() as folder:
        copied = urlunsplit(urlsplit(url)._replace(path=f"/{COPY}"))
        original = urlsplit(url).path[1:]
        with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {COPY}")
            server.execute(END_OTHERS, (original,))  # connections that are idle since the market was prepared
            server.execute(f"CREATE DATABASE {COPY} TEMPLATE {original} STRATEGY file_copy")
            try:
                sizes = _fill(copied)
                given = servers.environment(copied, "redis://127.0.0.1:1/0", Path(folder)) | PERIODS
                app = create_app(Settings.from_env(given))
                full = [take(app, part) for part in PARTS]
                again = [take(app, part) for part in PARTS]
                with app.app_context():
                    db.engine.dispose()
            finally:
                server.execute(f"DROP DATABASE {COPY} WITH (FORCE)")
    return sizes, full, again


def _fill(url: str) -> dict[str, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(MORE)
        connection.execute("VACUUM (ANALYZE) notifications")
        counts = "SELECT (SELECT count(*) FROM {})".format("), (SELECT count(*) FROM ".join(SIZES))
        found = connection.execute(counts).fetchone() or ()
    return dict(zip(SIZES, found, strict=True))


def main(arguments: list[str]) -> int:
    """Print a table. Return 1 if a batch took longer than the goal."""
    sizes, full, again = measure(arguments[0] if arguments else "large")
    print(", ".join(f"{number:,} {name}" for name, number in sizes.items()))
    print("| part | batches | rows | longest batch | last batch of the next run |\n|---|---|---|---|---|")
    for first, second in zip(full, again, strict=True):
        times = f"{first.longest * 1000:.0f} ms | {second.last * 1000:.0f} ms"
        print(f"| {first.name} | {first.batches} | {first.rows:,} | {times} |")
    whole = [sum(one.longest if one.batches > 1 else one.last for one in taken) for taken in (full, again)]
    print(f"A batch of each part: {whole[0]:.2f} s, in the next run {whole[1]:.2f} s")
    return int(max(one.longest for one in [*full, *again]) > GOAL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
