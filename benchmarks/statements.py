"""`make bench-statements SCALE=large`: what each frequent or periodic statement reads on a market of that size.

Each call is made once to see its statements, and each statement is then explained with ANALYZE, in a transaction that
is rolled back. Pages read (from memory or disk) do not depend on what else the machine does, times do.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import psycopg
from flask import Flask
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from backend.api.auth import tokens_for
from backend.app import create_app
from backend.core.clock import now
from backend.core.db.read_pool import Reads, compiled
from backend.core.db.session import connect_arguments, db, transaction
from backend.core.queue import Lane, admin, leases, runs
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import sessions
from backend.domain.accounts.models import Account
from backend.domain.conversations import actions as conversations
from backend.domain.notifications import unread_messages
from backend.domain.notifications.models import Delivery
from backend.domain.reports import months
from backend.domain.reports.statistics import compute
from backend.domain.task_requests import bulk, matching, reminders
from backend.domain.visits import reminders as visit_reminders
from backend.jobs.housekeeping import PARTS
from backend.jobs.reminders import BATCH as REMINDED
from backend.jobs.reports import BATCH as REPORTED
from backend.settings import Settings
from benchmarks import servers

Node = dict[str, Any]
CHECKED: Final = compiled(bulk.CHECKED)
REPEATS: Final = 3
SHOWN_ROWS: Final = 500
EXPLAINED: Final = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}
TYPICAL: Final = {
    # Somebody from the middle of the table, who has about as much as others have.
    "customer": """
        SELECT customer_id FROM task_requests
         WHERE customer_id > (SELECT percentile_disc(0.3) WITHIN GROUP (ORDER BY id)
                                FROM accounts WHERE role = 'customer') ORDER BY customer_id LIMIT 1""",
    "professional": """
        SELECT a.account_id FROM professional_areas a JOIN accounts c ON c.id = a.account_id
         WHERE radius_km = 10 AND cardinality(task_ids) = 5 AND c.blocked_at IS NULL
         ORDER BY abs(CAST(a.pincode AS integer) - 560001), 1 LIMIT 1""",
    "admin": "SELECT min(id) FROM accounts WHERE role = 'admin'",
}
# A request of that account that has as many parts of a visit as possible.
WHOLE: Final = """
    SELECT r.id FROM task_requests r LEFT JOIN conversations c ON c.request_id = r.id
     WHERE r.{side}_id = :id AND r.professional_id IS NOT NULL
     ORDER BY num_nulls(r.from_price, r.lines_amount, c.request_id), r.id LIMIT 1
"""
# A request that waits for offers and has some, and a visit that is shared.
QUOTED: Final = "SELECT min(request_id) FROM offers WHERE state = 'live'"
SHARED: Final = "SELECT min(request_id) FROM visit_links"
CALLS: Final = {
    "customer": (
        "/requests?limit=50",
        "/requests?limit=50&status=requested",
        "/notifications?limit=50",
        "/reports?limit=50",
        "/me/sessions",
        "/me/conversations?limit=50",
        "/requests/$request",
        "/requests/$request/conversations",
        "/requests/$request/messages",
        "/requests/$request/photos",
        "/requests/$request/price_lines",
        "/requests/$request/offers",
        "/requests/$request/checklist",
        "/requests/$request/again",
        "/requests/$request/visit_link",
        "/me/conversations?limit=50&unread=true",
        "/me/favourites?limit=50",
        "/me/exclusions?limit=50",
        "/tasks/$task/times?pincode=560001&date=$tomorrow",
        "/tasks/$task/professionals?pincode=560001&limit=50",
        "/tasks/$task/professionals?limit=50",
    ),
    "professional": (
        "/me/inbox",
        "/requests?limit=50&scope=open",
        "/requests?limit=50&scope=open&matching=true",
        "/requests?limit=50",
        "/me/agenda",
        "/me/reviews?limit=50",
        "/me/conversations?limit=50",
        "/me/conversations?limit=50&unread=true",
        "/me/exclusions?limit=50",
        "/requests/$visit",
        "/requests/$visit/messages",
        "/requests/$visit/photos",
        "/requests/$visit/price_lines",
        "/requests/$visit/checklist",
        "/notifications?limit=50&unread=true",
    ),
    "admin": (
        "/requests?limit=50",
        "/requests?limit=50&status=expired",
        "/requests?limit=50&status=requested,accepted",
        "/requests?limit=50&task_id=$task",
        "/requests?limit=50&customer_id=$customer",
        "/customers?limit=50",
        "/customers?limit=50&blocked=true",
        "/customers?limit=50&pincode=560001",
        "/customers?limit=50&q=sharma",
        "/customers?limit=50&q=customer12",
        "/customers?limit=50&q=sharna",
        "/customers/$customer",
        "/professionals?limit=50",
        "/professionals?limit=50&sort=rating",
        "/professionals?limit=50&sort=name",
        "/professionals?limit=50&task_id=$task",
        "/professionals?limit=50&pincode=560001",
        "/professionals?limit=50&approval=pending&sort=waiting",
        "/professionals?limit=50&approval=approved",
        "/professionals?limit=50&approval=expired",
        "/professionals?limit=50&min_rating=4.5",
        "/professionals?limit=50&blocked=true",
        "/professionals/$professional",
        "/deliveries?limit=50",
        "/deliveries?limit=50&state=failed",
        "/deliveries?limit=50&kind=reminder",
        "/deliveries?limit=50&account_id=$customer",
        "/deliveries?limit=50&channel=sms",
        "/audit?limit=50",
        "/audit?limit=50&action=professional_blocked",
        "/audit?limit=50&subject_id=$professional&subject_kind=account",
        "/exports?limit=50",
        "/jobs",
        "/jobs/runs?limit=50",
        "/jobs/runs?limit=50&name=monthly-reports",
        "/jobs/failed?limit=50",
        "/reviews?limit=50",
        "/reviews?limit=50&professional_id=$professional",
        "/reviews?limit=50&task_id=$task",
        "/reviews?limit=50&customer_id=$customer",
        "/reviews?limit=50&reported=true",
        "/reviews?limit=50&hidden=true",
        "/reliability?limit=50",
        "/conversation_reports?limit=50",
        "/conversation_reports?limit=50&settled=true",
        "/requests/$quoted/offers",
        "/requests/$request/activity",
        "/stats",
        "/readyz",
        "/metrics",
    ),
    "": (
        "/search?pincode=560001",
        "/search?q=plumer&pincode=560001",
        "/search?pincode=560001&radius_km=25",
        "/search?location=Bengaluru",
        "/tasks",
        "/visits/v$shared",
        "/places?q=5600",
    ),
}


# Of these a statement may read all: they are as large as the country's map, the catalogue, the schedule, or what admins
# do by hand. Counts of the dashboard: at most tasks or pincodes times days.
BOUNDED: Final = {
    *("places", "localities", "regions", "place_imports", "tasks", "task_synonyms", "task_policies", "market_settings"),
    *("cache_versions", "heartbeats", "alembic_version", "job_runs", "exports"),
    *("dashboard_counts", "dashboard_changes", "dashboard_zones"),
}


@dataclass(slots=True)
class Cost:
    """What one statement reads and takes. ``rows``: of tables that grow, with those that it then filters out."""

    sql: str
    pages: int = 0
    rows: int = 0
    milliseconds: float = 0.0
    scans: list[str] = field(default_factory=list)


def measure(scale: str) -> Iterator[tuple[str, list[Cost]]]:
    """Return the costs of the statements of each call and of each periodic work, on a market of a scale."""
    with servers.postgres(scale) as url, tempfile.TemporaryDirectory() as folder:
        # No Valkey: nothing is answered from a cache.
        env = servers.environment(url, "redis://127.0.0.1:1/0", Path(folder)) | {"DB_STATEMENT_TIMEOUT_MS": "600000"}
        app = create_app(Settings.from_env(env))
        yield from costs(app, url)
        with app.app_context():
            db.engine.dispose()


def costs(app: Flask, url: str, *, repeats: int = REPEATS) -> Iterator[tuple[str, list[Cost]]]:
    """Return the same for an application. ``url`` is of a superuser."""
    with psycopg.connect(url, options=connect_arguments(app.extensions["settings"])["options"]) as connection:
        # Rows that earlier statements of a work wrote are gone when a later one is explained.
        connection.execute("SET session_replication_role = replica")
        connection.commit()
        # What housekeeping does once for each professional who lost the approval.
        while connection.execute(CHECKED.sql, {**CHECKED.values, "at": now(), "limit": 10_000}).rowcount:
            connection.commit()
        for name, work in _works(app):
            with app.app_context(), _seen() as seen:
                work()
            yield name, [_explained(connection, *one, repeats=repeats) for one in seen]


def _works(app: Flask) -> Iterator[tuple[str, Callable[[], object]]]:
    values = {}
    with app.test_request_context():
        for name, sql in TYPICAL.items():
            values[name] = str(db.session.execute(text(sql)).scalar_one())
        offered = "SELECT min(task_id) FROM professional_tasks WHERE account_id = :id"
        values["task"] = str(db.session.execute(text(offered), {"id": int(values["professional"])}).scalar_one())
        for name, side in (("request", "customer"), ("visit", "professional")):
            whole = text(WHOLE.format(side=side))
            values[name] = str(db.session.execute(whole, {"id": int(values[side])}).scalar_one())
        for name, sql in (("quoted", QUOTED), ("shared", SHARED)):
            values[name] = str(db.session.execute(text(sql)).scalar_one())
        db.session.rollback()
    values["tomorrow"] = f"{now() + timedelta(days=1):%Y-%m-%d}"
    client = app.test_client()
    for role, paths in CALLS.items():
        headers = {"Authorization": f"Bearer {_token(app, int(values[role]))}"} if role else {}
        client.get("/me", headers=headers)  # the visit is noted by then

        def call(path: str, headers: dict[str, str] = headers) -> None:
            answer = client.get(path, headers=headers)
            if answer.status_code not in (200, 503):
                raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")

        for path in paths:
            filled = path
            for name, value in values.items():
                filled = filled.replace(f"${name}", value)
            yield f"{role} {path}".strip(), partial(call, filled)
    numbers = {name: int(values[name]) for name in ("professional", "customer", "task", "visit")}
    yield from _periodic(**numbers)


def _token(app: Flask, account_id: int) -> str:
    with app.test_request_context(), transaction():
        account = db.session.get_one(Account, account_id)
        started = sessions.start(account.id, account.password_hash, sessions.Device())
        assert started is not None
        token: str = tokens_for(started.issued)["access_token"]
    return token


def _periodic(*, professional: int, customer: int, task: int, visit: int) -> Iterator[tuple[str, Callable[[], object]]]:
    def undone(work: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            try:
                work()
            finally:
                db.session.rollback()

        return run

    works: dict[str, Callable[[], object]] = {
        "matching": lambda: matching.nearest(task_id=task, pincode="560001", limit=50, customer_id=customer),
        "reminders, a batch": lambda: reminders.candidates(
            day=now().date(), after=professional, until=professional + REMINDED
        ),
        "visit reminders": visit_reminders.send,
        "visit reminders, old": visit_reminders.drop_old,
        "messages marked as read": lambda: conversations.mark_read(
            Actor(professional, Role.PROFESSIONAL), request_id=visit, up_to=1
        ),
        "digest of unread messages": lambda: unread_messages.params(
            Delivery(
                account_id=professional, request_id=visit, params={"professional_id": professional, "first_unread": 1}
            )
        ),
        "reports, a batch": lambda: compute(months.running().previous, list(range(customer, customer + REPORTED))),
        "schedule tick": runs.claim_due,
        "sweep": leases.waiting_lanes,
        "sweep, urgent": lambda: leases.undispatched_ids(Lane.URGENT),
        "claim bulk": lambda: leases.claim_next(Lane.BULK, limit=10, lease_seconds=60),
        "backlog": admin.backlog,
    }
    for part in PARTS:
        works[f"housekeeping {part.name}"] = partial(part.work, part.batch)
    for name, work in works.items():
        yield name, undone(work)


@contextmanager
def _seen() -> Iterator[list[tuple[str, Any, bool]]]:
    seen: list[tuple[str, Any, bool]] = []
    execute, read = psycopg.Cursor.execute, Reads.rows

    def note(cursor: Any, query: Any, values: Any = None, **how: Any) -> Any:
        sql = query.decode() if isinstance(query, bytes) else str(query)
        if (sql.split(None, 1) or [""])[0].upper() in EXPLAINED:
            seen.append((sql, dict(values) if values else None, False))
        return execute(cursor, query, values, **how)

    def rows(reads: Any, statement: Any, values: Any) -> Any:
        compiled = statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        seen.append((str(compiled), {**compiled.params, **values}, True))
        return read(reads, statement, values)

    with patch.object(psycopg.Cursor, "execute", note), patch.object(Reads, "rows", rows):
        yield seen


def _explained(connection: "psycopg.Connection[Any]", sql: str, values: Any, is_read: bool, *, repeats: int) -> Cost:
    cost, times, plan = Cost(" ".join(sql.split())), [], {}
    for _ in range(repeats):
        if is_read:
            connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")  # as in the pool of reads
        query = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}".encode()
        [[[plan]]] = connection.execute(query, values).fetchall()
        connection.rollback()
        times.append(plan["Execution Time"] + plan["Planning Time"])
    cost.milliseconds = min(times)
    cost.pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    for node in _nodes(plan["Plan"]):
        table = node.get("Relation Name")
        if table is None or table in BOUNDED or node["Node Type"] == "ModifyTable":
            continue
        left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        cost.rows += round((node["Actual Rows"] + left_out) * node["Actual Loops"])
        if node["Node Type"] == "Seq Scan" and node["Actual Loops"]:
            cost.scans.append(table)
    return cost


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def main(scales: list[str]) -> int:
    """Print what each call reads and takes, and its statements that read much."""
    for scale in scales:
        for name, found in measure(scale):
            pages, rows = sum(cost.pages for cost in found), sum(cost.rows for cost in found)
            spent = sum(cost.milliseconds for cost in found)
            print(f"{scale:6} {name:62} {pages:>9,} pages {rows:>9,} rows {spent:>9.2f} ms", flush=True)
            for cost in found:
                if cost.rows > SHOWN_ROWS:
                    print(f"       {cost.pages:>9,} pages {cost.rows:>9,} rows {cost.scans} {cost.sql[:80]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
