"""Fills an empty, migrated database with a market of a scale."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from random import Random
from time import perf_counter
from typing import Any, Final, LiteralString

import psycopg
from argon2 import PasswordHasher

from benchmarks.data import catalogue, records, requests
from benchmarks.data.copying import Connection, copy, indexes_later
from benchmarks.data.users import ACCOUNT_COLUMNS, Place, Places, Trade, accounts, trades
from benchmarks.data.scales import Scale

SEED: Final = 20_261_122
ZONE: Final = "Asia/Kolkata"  # the marketplace's default
PASSWORD: Final = "correct horse battery 9"
LARGE_TABLES: Final = ("accounts", "task_requests", "request_events", "reviews", *records.STATEMENTS)
RATINGS: Final = (
    """UPDATE tasks SET rating_count = n, rating_sum = s
         FROM (SELECT task_id, count(*) AS n, sum(rating) AS s FROM reviews GROUP BY task_id) AS r WHERE r.task_id = id""",
    """UPDATE professionals SET rating_count = n, rating_sum = s, rating_counts = c
         FROM (SELECT professional_id, count(*) AS n, sum(rating) AS s,
                      ARRAY[count(*) FILTER (WHERE rating = 1), count(*) FILTER (WHERE rating = 2),
                            count(*) FILTER (WHERE rating = 3), count(*) FILTER (WHERE rating = 4),
                            count(*) FILTER (WHERE rating = 5)] AS c
                 FROM reviews GROUP BY professional_id) AS r
        WHERE r.professional_id = account_id""",
    """UPDATE professionals SET tasks_done = n
         FROM (SELECT professional_id, count(*) AS n FROM task_requests WHERE status = 'closed' GROUP BY professional_id)
              AS r WHERE r.professional_id = account_id""",
)
IDENTITIES: Final = (
    *("accounts", "tasks", "task_requests", "request_events", "notifications", "deliveries", "delivery_attempts"),
    *("jobs", "job_runs", "sign_in_failures", "phone_codes", "documents", "monthly_reports", "exports", "audit_entries", "messages"),
    *("request_photos", "price_lines", "offers", "conversation_reports"),
)


def fill(url: str, scale: Scale, *, recount: Callable[[], int], say: Callable[[str], None] = print) -> None:
    """Write everything, then count availability; says how long each part took. Raises ValueError when there are users."""
    with psycopg.connect(url, autocommit=False, options="-c statement_timeout=0 -c timezone=UTC") as connection:
        there = connection.execute("SELECT count(*) FROM accounts WHERE role <> 'admin'").fetchone()
        if there and there[0]:
            raise ValueError("there are users in this database: the benchmarks fill an empty one only")
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET work_mem = '512MB'")
        connection.execute("SET synchronous_commit = off")
        began = perf_counter()
        with indexes_later(connection, LARGE_TABLES):
            _Filler(connection, scale, say).write()
            say(f"  rows written after {perf_counter() - began:.0f} s; indexes next")
        for statement in RATINGS:
            connection.execute(statement)
        for table in IDENTITIES:
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        connection.execute("SET session_replication_role = origin")
        connection.execute("SELECT rebuild_dashboard_counts(%s)", (ZONE,))
    say(f"  indexes and ratings after {perf_counter() - began:.0f} s; availability next")
    recount()
    with psycopg.connect(url, autocommit=True, options="-c statement_timeout=0") as connection:
        connection.execute("VACUUM (ANALYZE)")
    say(f"  done after {perf_counter() - began:.0f} s")


class _Filler:
    """Writes one market, table by table."""

    def __init__(self, connection: Connection, scale: Scale, say: Callable[[str], None]) -> None:
        self.connection, self.scale, self.say = connection, scale, say
        self.dice = Random(SEED)
        self.today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
        self.hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        rows = connection.execute("SELECT pincode, district, state FROM places ORDER BY pincode").fetchall()
        self.places = Places([Place(*row) for row in rows], self.dice)
        last = connection.execute("SELECT coalesce(max(id), 0) FROM accounts").fetchone()
        self.first_customer = (last[0] if last else 0) + 1
        self.first_professional = self.first_customer + scale.customers
        self.numbers = {
            **asdict(scale),
            "accounts": scale.customers + scale.professionals,
            "first_customer": self.first_customer,
            "first_professional": self.first_professional,
            "today": self.today,
        }

    def write(self) -> None:
        tasks = self._tasks()
        self._accounts(self.first_customer, "customer", self.scale.customers)
        homes = self._accounts(self.first_professional, "professional", self.scale.professionals)
        by_category: dict[str, list[int]] = defaultdict(list)
        for task_id, _, category, *_ in tasks:
            by_category[category].append(task_id)
        work = trades(self.first_professional, homes, tasks_of=by_category, places=self.places, dice=self.dice)
        self._trades(work)
        self._requests()
        for table, statements in records.STATEMENTS.items():
            self._insert(table, statements)

    def _copy(self, table: str, columns: Any, rows: Any) -> None:
        number = copy(self.connection, table, columns, rows)
        self.say(f"  {table}: {number:,}")

    def _tasks(self) -> list[tuple[int, str, str, int, int]]:
        made = catalogue.tasks(self.scale.tasks, self.dice)
        tasks = [(number, *row) for number, row in enumerate(made, 1)]
        columns = ("id", "name", "name_key", "description", "category", "base_price", "currency", "time_required", "pricing")
        rows = [(i, n, n.casefold(), f"{n} at home.", c, p, "INR", m, "fixed" if i % 20 else "quote") for i, n, c, p, m in tasks]
        self._copy("tasks", columns, rows)
        phrases = [("{" + ",".join(f'"{p}"' for p in group) + "}",) for group in catalogue.SYNONYMS]
        self._copy("task_synonyms", ("phrases",), phrases)
        return tasks

    def _accounts(self, first_id: int, role: str, number: int) -> list[Place]:
        homes = self.places.some(number)
        rows = accounts(first_id, role, homes, password_hash=self.hash, today=self.today, dice=self.dice)
        self._copy("accounts", ACCOUNT_COLUMNS, rows)
        return homes

    def _trades(self, work: list[Trade]) -> None:
        columns = ("account_id", "exp", "compname", "approval", "approval_changed_at", "radius_km", "holds_checked_at")
        rows = (
            (t.account_id, self.dice.randrange(0, 40), f"Company {t.account_id}", t.approval, self.today, t.radius_km, self.today)
            for t in work
        )
        self._copy("professionals", columns, rows)
        done = ((t.account_id, task_id) for t in work for task_id in t.task_ids)
        self._copy("professional_tasks", ("account_id", "task_id"), done)
        listed = ((t.account_id, pincode) for t in work for pincode in sorted(t.listed))
        self._copy("professional_pincodes", ("account_id", "pincode"), listed)

    def _requests(self) -> None:
        for statement in requests.PREPARED:
            self.connection.execute(statement)
        self._insert("task_requests", requests.REQUESTS)
        self._insert("reviews", (requests.REVIEWS,))
        self._insert("request_events", (requests.EVENTS,))

    def _insert(self, table: str, statements: Iterable[LiteralString]) -> None:
        number = sum(self.connection.execute(statement, self.numbers).rowcount for statement in statements)
        self.say(f"  {table}: {number:,}")
