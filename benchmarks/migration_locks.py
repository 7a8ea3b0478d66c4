"""How long writes wait for each migration after 0009: `python -m benchmarks.migration_locks [ROWS]`.

The database is filled at revision 0009, before any index was made beside running writes. Then each revision runs while
one session for each table writes row after row. PostgreSQL logs each wait for a lock (log_lock_waits), so a busy
machine, on which statements take longer for other reasons, counts for nothing.
"""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from backend.app import create_app
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations import revisions
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks import figures, servers
from benchmarks.figures import Figure

FIRST: Final = "0009"
ROWS: Final = 1_000_000
GOAL_SECONDS: Final = 0.2
LEAST_MS: Final = 20  # waits that are shorter are not logged
PAUSE_SECONDS: Final = 0.005
WRITER: Final = "writer"
WAITED: Final = re.compile(rf"\[{WRITER}\] LOG:  process \d+ acquired .* after ([\d.]+) ms")
PARAMETERS: Final = {
    "log_lock_waits": "on",
    "deadlock_timeout": f"{LEAST_MS}ms",
    "log_line_prefix": "[%a] ",
    "max_wal_size": "2GB",
    "fsync": "off",
}
# Each table with a column that every version has, to which the writer gives its own value again.
WRITTEN: Final = {
    "accounts": "last_seen_at",
    "task_requests": "version",
    "reviews": "rating",
    "notifications": "read_at",
    "deliveries": "attempts",
    "jobs": "attempts",
    "sessions": "last_used_at",
    "monthly_reports": "figures",
}
KEYS: Final = {"reviews": "request_id"}
WRITE: Final = "UPDATE {table} SET {column} = {column} WHERE {key} = (SELECT {key} FROM {table} OFFSET %s LIMIT 1)"
FILL: Final = """
INSERT INTO places (pincode, locality, district, state) VALUES ('560001', 'Bengaluru', 'Bengaluru', 'Karnataka');
INSERT INTO accounts (role, username, username_key, email, email_key, password_hash,
                      firstname, lastname, address, pincode)
SELECT CASE WHEN n % 10 = 0 THEN 'professional' ELSE 'customer' END, 'user' || n, 'user' || n,
       'user' || n || '@example.org', 'user' || n || '@example.org', 'x', 'Asha', 'Rao', '12 MG Road', '560001'
  FROM generate_series(1, {accounts}) n;
INSERT INTO professionals (account_id, exp, compname, approval)
SELECT id, 5, 'Company', 'approved' FROM accounts WHERE role = 'professional';
INSERT INTO tasks (name, name_key, description, category, base_price, currency, time_required)
SELECT 'Task ' || n, 'task ' || n, 'Work', 'Home', 500, 'INR', 60 FROM generate_series(1, 100) n;
INSERT INTO task_requests (task_id, task_name, customer_id, professional_id, status, date_of_request, price, currency,
                           time_required, address, pincode, busy, created_at, accepted_at, completed_at, closed_at)
SELECT t.id, t.name, c.ids[1 + n % array_length(c.ids, 1)], p.ids[1 + n % array_length(p.ids, 1)],
       'closed', at, 500, 'INR', 60, '12 MG Road', '560001', tstzrange(at, at + interval '1 hour'),
       at - interval '2 days', at - interval '1 day', at, at
  FROM generate_series(1, {rows}) n
  CROSS JOIN LATERAL (SELECT now() - make_interval(mins => n) AS at) a
  JOIN tasks t ON t.id = (SELECT min(id) FROM tasks) + n % 100
  CROSS JOIN (SELECT array_agg(id) AS ids FROM accounts WHERE role = 'customer') c
  CROSS JOIN (SELECT array_agg(id) AS ids FROM accounts WHERE role = 'professional') p;
INSERT INTO request_events (request_id, action, actor_id, actor_role, from_status, to_status)
SELECT id, 'close', customer_id, 'customer', 'completed', 'closed' FROM task_requests;
INSERT INTO reviews (request_id, customer_id, professional_id, task_id, rating, comment)
SELECT id, customer_id, professional_id, task_id, 1 + id % 5, 'Quick and clean.' FROM task_requests WHERE id % 4 = 0;
INSERT INTO notifications (account_id, kind, title, body, request_id)
SELECT customer_id, 'request_accepted', 'Accepted', 'Your request was accepted.', id FROM task_requests;
INSERT INTO deliveries (account_id, notification_id, kind, channel, state, message_id, sent_at, subject, request_id)
SELECT account_id, id, kind, 'mail', 'sent', '<' || id || '@example.org>', created_at, request_id::text, request_id
  FROM notifications;
INSERT INTO delivery_attempts (delivery_id, number, outcome) SELECT id, 1, 'sent' FROM deliveries;
INSERT INTO jobs (topic, key, payload, done_at) SELECT 'notifications.send', id::text, '{{}}', now() FROM deliveries;
INSERT INTO sessions (account_id, client, current_jti, expires_at)
SELECT id, 'browser', gen_random_uuid()::text, now() + interval '30 days' FROM accounts;
INSERT INTO monthly_reports (customer_id, month, figures)
SELECT id, m, '{{"requests": 1}}' FROM accounts
 CROSS JOIN generate_series('2026-01-01'::date, '2026-06-01', '1 month') m
 WHERE role = 'customer';
INSERT INTO audit_entries (actor_role, action, subject_kind)
SELECT 'admin', 'task_changed', 'task' FROM generate_series(1, {accounts});
"""


@dataclass
class Writers:
    """One thread and session for each table, which write until :meth:`end`."""

    url: str
    written: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    _ends: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write while the block runs."""
        threads = [threading.Thread(target=self._write, args=one) for one in WRITTEN.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join()

    def _write(self, table: str, column: str) -> None:
        statement = WRITE.format(table=table, column=column, key=KEYS.get(table, "id"))
        number = 0
        with psycopg.connect(self.url, autocommit=True, application_name=WRITER) as connection:
            while not self._ends.wait(PAUSE_SECONDS):
                number = (number + 7) % 1000
                try:
                    connection.execute(statement, [number])
                except psycopg.Error as error:
                    self.failed.setdefault(table, str(error))
                    continue
                with self._lock:
                    self.written += 1


def measure(rows: int = ROWS) -> Iterator[Figure]:
    """Print each revision with its time and the longest wait of a write, and return the longest of all."""
    with TemporaryDirectory(prefix="doorstep-locks-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", parameters=PARAMETERS)
        try:
            yield _measure(server, server.start(), Path(folder), rows)
        finally:
            server.destroy()


def _measure(server: EmbeddedPostgres, url: str, folder: Path, rows: int) -> Figure:
    app = create_app(Settings.from_env(servers.environment(url, "redis://127.0.0.1:1/0", folder)))
    with app.app_context():
        upgrade(FIRST)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL.format(rows=rows, accounts=max(100, rows // 10)))
            connection.execute("VACUUM ANALYZE")
        longest: dict[str, float] = {}
        writers = Writers(url)
        with writers.writing():
            for revision in revisions()[revisions().index(FIRST) + 1 :]:
                position, began = server.log.stat().st_size, time.perf_counter()
                upgrade(revision)
                seconds = time.perf_counter() - began
                longest[revision] = _longest_wait(server.log, position)
                print(
                    f"{revision}: {seconds:.1f} s, writes waited {1000 * longest[revision]:.0f} ms at most", flush=True
                )
    for table, problem in writers.failed.items():
        print(f"{table}: a write failed: {problem}", file=sys.stderr)
    worst = max(longest, key=lambda revision: longest[revision])
    over = [revision for revision, seconds in longest.items() if seconds > GOAL_SECONDS]
    note = (
        f"{worst}; {rows:,} requests, notifications, deliveries and jobs; {len(longest)} revisions, "
        f"{writers.written:,} writes; above the goal: {', '.join(over) or 'none'}"
    )
    return Figure(
        "a write's longest wait for a migration", longest[worst], None, None, GOAL_SECONDS, "s", at_most=True, note=note
    )


def _longest_wait(log: Path, position: int) -> float:
    """Return the longest wait of a writer in the log from there on, in seconds."""
    with log.open("rb") as file:
        file.seek(position)
        found = WAITED.findall(file.read().decode(errors="replace"))
    return max((float(milliseconds) / 1000 for milliseconds in found), default=0.0)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        figures.run(measure(int(sys.argv[1]) if sys.argv[1:] else ROWS))
