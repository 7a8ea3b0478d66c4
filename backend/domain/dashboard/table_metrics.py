"""What /metrics reads from the database: jobs, deliveries, processes, and the age of rows that housekeeping deletes.

Every web server and worker returns the same values, so aggregate them with ``max``.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from threading import Lock
from typing import Final, NamedTuple

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.read_pool import REPLICA
from backend.core.db.replica import Replica
from backend.core.db.session import db
from backend.core.observability import fleet, metrics
from backend.core.queue import admin

RUN_COUNTS: Final = {"sent": "sent", "failed": "failed to send", "skipped": "skipped"}
CACHE_SECONDS: Final = 10.0
CACHE: Final = "table_metrics"
KINDS: Final = ("web", "worker", "beat", "events")
# Each part reads the first entry of an index, or the entries of what waits.
TABLES: Final = text("""
    SELECT 'waiting', channel, count(*), max(extract(epoch FROM now() - coalesce(not_before, created_at)))
      FROM deliveries WHERE state = 'waiting' GROUP BY channel
    UNION ALL SELECT 'oldest', 'jobs', extract(epoch FROM now() - min(done_at)), 0 FROM jobs WHERE done_at IS NOT NULL
    UNION ALL SELECT 'oldest', 'deliveries', extract(epoch FROM now() - min(created_at)), 0 FROM deliveries
    UNION ALL SELECT 'oldest', 'notifications', extract(epoch FROM now() - min(created_at)), 0 FROM notifications
    UNION ALL SELECT 'oldest', 'sessions', extract(epoch FROM now() - min(ended_at)), 0
                FROM sessions WHERE ended_at IS NOT NULL
    UNION ALL SELECT 'oldest', 'idempotency_keys', extract(epoch FROM now() - min(created_at)), 0 FROM idempotency_keys
""")


class Measured(NamedTuple):
    """A row of TABLES: how many messages of a channel wait, and for how long; or the age of a table's oldest row."""

    kind: str
    name: str
    value: float | None
    age: float


class TableCache:
    """The last rows read, shared by the threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: Sequence[Measured] = ()
        self._read_at = float("-inf")

    def rows(self) -> Sequence[Measured]:
        """Return the rows, read again after CACHE_SECONDS."""
        with self._lock:
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                self._rows = self._read()
                self._read_at = time.monotonic()
            return self._rows

    def _read(self) -> Sequence[Measured]:
        return [Measured(*row) for row in db.session.execute(TABLES)]


def collect() -> list[metrics.Metric]:
    """Return the current values; none while the database is unavailable, when the other metrics matter most."""
    try:
        return [*_jobs(), *_tables(), *_processes(), *_replica()]
    except SQLAlchemyError:
        db.session.rollback()
        return []


def _jobs() -> list[metrics.Metric]:
    queue = admin.backlog()
    last = {entry.row.name: entry.last_run for entry in admin.schedule_entries() if entry.last_run}
    return [
        metrics.gauge("jobs_waiting", "Jobs waiting or running", queue.waiting),
        metrics.gauge("jobs_dead", "Jobs that failed permanently", queue.dead),
        metrics.gauge("jobs_oldest_seconds", "Seconds that the oldest due job has been waiting", queue.oldest_seconds),
        metrics.gauges(
            "job_last_run_timestamp_seconds",
            "Unix time of the last start of each scheduled job",
            "name",
            {name: run.created_at.timestamp() for name, run in last.items()},
        ),
        *(
            metrics.gauges(f"job_last_run_{field}", f"Number of messages that the last run {about}", "name", counts)
            for field, about in RUN_COUNTS.items()
            if (counts := {name: float(getattr(run, field)) for name, run in last.items()})
        ),
    ]


def _replica() -> list[metrics.Metric]:
    replica: Replica | None = current_app.extensions.get(REPLICA)
    lag = replica.lag.seconds() if replica else None
    if lag is None:
        return []
    return [
        metrics.gauge(
            "db_replica_lag_seconds", "Seconds that the replica is behind; only from processes that ask it", lag
        )
    ]


def _processes() -> list[metrics.Metric]:
    at = now()
    found = fleet.processes()
    alive = [process for process in found if not fleet.is_silent(process, at)]
    kinds = {kind: float(sum(process.kind == kind for process in alive)) for kind in KINDS}
    about = {topic.value: 0.0 for topic in fleet.Topic}
    for finding in fleet.findings(found, at):
        about[finding.topic] += len(finding.processes)
    return [
        metrics.gauges("processes", "Processes of all machines that report themselves", "kind", kinds),
        metrics.gauges("processes_found", "Processes with a finding: silent, or unlike the others", "topic", about),
    ]


def _tables() -> list[metrics.Metric]:
    cache: TableCache = current_app.extensions.setdefault(CACHE, TableCache())
    rows = cache.rows()
    waiting = [row for row in rows if row.kind == "waiting"]
    oldest = {row.name: float(row.value) for row in rows if row.kind == "oldest" and row.value is not None}
    return [
        metrics.gauges(
            "deliveries_waiting",
            "Messages that wait to be sent, those for a later time among them",
            "channel",
            {row.name: float(row.value or 0) for row in waiting},
        ),
        metrics.gauges(
            "deliveries_oldest_seconds",
            "Seconds that the oldest message which is due has been waiting",
            "channel",
            {row.name: max(0.0, float(row.age)) for row in waiting},
        ),
        metrics.gauges(
            "table_oldest_row_seconds", "Age of the oldest row that housekeeping may delete", "table", oldest
        ),
        metrics.gauges("table_kept_seconds", "Age at which housekeeping deletes rows", "table", _kept()),
    ]


def _kept() -> dict[str, float]:
    settings = current_settings()
    kept = {
        "jobs": timedelta(days=settings.jobs_keep_days),
        "deliveries": timedelta(days=settings.deliveries_keep_days),
        "notifications": timedelta(days=settings.notifications_keep_days),
        "sessions": timedelta(days=settings.sessions_keep_days),
        "idempotency_keys": timedelta(hours=settings.idempotency_keep_hours),
    }
    return {table: duration.total_seconds() for table, duration in kept.items()}
