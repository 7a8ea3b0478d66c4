"""What one call costs in CPU, what one row takes, which rows a request makes; `benchmarks.capacity` adds them up."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import psutil
import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import text

from backend.api.auth import tokens_for
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.accounts import sessions
from backend.domain.accounts.models import Account
from benchmarks import create, load, servers
from benchmarks.figures import Figure
from benchmarks.search import Stand, addresses, stand

SCALE: Final = "small"
SECONDS: Final = 4.0
LIVES: Final = 20
CALLS: Final = {
    "GET /requests?limit=50": ("/requests?limit=50",),
    "GET /notifications?limit=20": ("/notifications?limit=20",),
    "GET /me": ("/me",),
    "GET /search, cached": ("/search?pincode=560001",),
    "GET /search, not cached": tuple(addresses("by place")),
}
TABLES: Final = (
    "task_requests", "request_events", "reviews", "monthly_reports", "notifications", "deliveries", "delivery_attempts",
    "jobs", "sessions", "messages", "audit_entries",
)  # fmt: skip
PER_REQUEST: Final = ("request_events", "notifications", "deliveries", "jobs")
CUSTOMER: Final = "SELECT min(customer_id) FROM task_requests"
NOTIFIED: Final = (
    "SELECT account_id FROM notifications WHERE request_id = :id AND kind = 'request_new' ORDER BY id LIMIT 1"
)
OVER: Final = """
    UPDATE task_requests
       SET date_of_request = now() - interval '2 hours', created_at = now() - interval '1 day',
           accepted_at = now() - interval '3 hours',
           busy = tstzrange(now() - make_interval(mins => 120 + :number), now() - make_interval(mins => 119 + :number))
     WHERE id = :id
"""


def measure() -> Iterator[Figure]:
    """CPU and bytes on the small market, rows among a crowd."""
    with stand(SCALE, CACHE_SECONDS="1") as ready:
        yield from _cpu(ready)
    yield from _bytes()
    with create.stand() as crowded:
        yield from _rows(crowded)


def _bytes() -> Iterator[Figure]:
    with servers.postgres(SCALE) as url, psycopg.connect(url) as connection:
        for table in TABLES:
            query = sql.SQL("SELECT pg_total_relation_size({}), (SELECT count(*) FROM {})").format(
                sql.Literal(table), sql.Identifier(table)
            )
            size, rows = connection.execute(query).fetchone() or (0, 0)
            note = f"{rows:,} rows written at once, indexes included"
            yield Figure(f"bytes a row: {table}", size / rows, None, None, 2_000, unit="B", at_most=True, note=note)


def _rows(stage: create.Stage) -> Iterator[Figure]:
    """Rows of whole lives: created, accepted by one of those notified, completed, closed, reviewed."""
    before = _counts(stage.app)
    for number in range(LIVES):
        _live(stage, number)
    after = _counts(stage.app)
    with stage.app.app_context():
        db.session.remove()
        db.engine.dispose()
    for table in PER_REQUEST:
        each = (after[table] - before[table]) / LIVES
        yield Figure(
            f"rows a request: {table}", each, None, None, 20, unit="rows", at_most=True,
            note=f"{LIVES} requests from creation to review; attempts are as many as deliveries",
        )  # fmt: skip


def _live(stage: create.Stage, number: int) -> None:
    app = stage.app
    client, headers = app.test_client(), _headers(app, stage.crowd.customer.account_id)
    when = (now() + timedelta(days=20 + number)).isoformat()
    asked = {"task_id": stage.task_id, "date_of_request": when, "remarks": "Second floor."}
    made = client.post("/requests", json=asked, headers=headers)
    assert made.status_code == 201, made.get_data()
    request_id = made.get_json()["id"]
    with app.test_request_context():
        professional = int(db.session.execute(text(NOTIFIED), {"id": request_id}).scalar_one())
        db.session.rollback()
    theirs, path = _headers(app, professional), f"/requests/{request_id}"
    steps: Sequence[tuple[dict[str, str], str, dict[str, object]]] = (
        (theirs, "accept", {}),
        (theirs, "complete", {}),
        (headers, "close", {}),
        (headers, "review", {"rating": 5, "comment": "Quick and clean."}),
    )
    for who, action, body in steps:
        if action == "complete":
            with app.test_request_context(), transaction():
                db.session.execute(text(OVER), {"id": request_id, "number": number})
        answer = client.post(f"{path}/{action}", json=body, headers=who)
        assert answer.status_code in (200, 201), answer.get_data()


def _headers(app: Flask, account_id: int) -> dict[str, str]:
    with app.test_request_context(), transaction():
        account = db.session.get_one(Account, account_id)
        started = sessions.start(account.id, account.password_hash, sessions.Device())
        assert started is not None
        token = tokens_for(started.issued)["access_token"]
    return {"Authorization": f"Bearer {token}"}


def _counts(app: Flask) -> dict[str, int]:
    with app.test_request_context(), transaction():
        return {
            table: int(db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()) for table in PER_REQUEST
        }


def _cpu(ready: Stand) -> Iterator[Figure]:
    """CPU milliseconds of one call: of the web server's processes, and of PostgreSQL's as the baseline."""
    with ready.app.test_request_context():
        customer = int(db.session.execute(text(CUSTOMER)).scalar_one())
        db.session.rollback()
    headers = _headers(ready.app, customer)
    with servers.web("backend.wsgi:app", ready.env) as port:
        web = _listening(port)
        for name, paths in CALLS.items():
            calls = [load.get(path, **headers) for path in paths]
            load.run(port, calls, seconds=1.0)
            before = _times(web, "granian"), _times(None, "postgres")
            answers = load.run(port, calls, seconds=SECONDS).answers
            spent = _times(web, "granian") - before[0], _times(None, "postgres") - before[1]
            python, database = (1000 * seconds / answers for seconds in spent)
            note = f"CPU; the baseline is PostgreSQL's; {answers:,} calls"
            yield Figure(
                f"CPU of a call: {name}", python, database, python / database, 10, "ms", at_most=True, note=note
            )


def _listening(port: int) -> psutil.Process:
    for process in psutil.Process().children():
        if str(port) in process.cmdline():
            return process
    raise LookupError(f"no web server on port {port}")


def _times(root: psutil.Process | None, name: str) -> float:
    """Return the CPU seconds of a process with all its children, or of all programs of this user with that name."""
    if root is not None:
        found = [root, *root.children(recursive=True)]
    else:
        found = [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if name in (process.info["name"] or "") and str(servers.FOLDER / SCALE) in _line(process)
        ]
        found = [child for process in found for child in [process, *process.children(recursive=True)]]
    total = 0.0
    for process in found:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _line(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or [])
