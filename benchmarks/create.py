"""Creating requests, beside one psycopg script that runs the same statements: same rows, same locks, one commit."""

import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import orjson
import psycopg
from flask import Flask
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.notifications import create as notifications
from backend.domain.notifications import digests
from backend.domain.professionals import availability
from backend.domain.task_requests import actions, matching, policies
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks import servers
from benchmarks.figures import Figure
from tests.factories.crowd import Crowd, gather
from tests.factories.tasks import make_task

PROFESSIONALS: Final = 64
EACH: Final = 50
ROUNDS: Final = 6
NOTIFIED: Final = 10
GOAL: Final = 0.6
REQUEST: Final = """
  WITH created AS (
       INSERT INTO task_requests (task_id, task_name, customer_id, date_of_request, price, currency, time_required,
                                  address, pincode, remarks, created_at, updated_at)
       VALUES (%(task_id)s, %(name)s, %(customer_id)s, %(date)s, %(price)s, %(currency)s, %(minutes)s, %(address)s,
               %(pincode)s, 'Ring twice', %(at)s, %(at)s)
       RETURNING *
     ), entry AS (
       INSERT INTO request_events (request_id, at, action, actor_id, actor_role, to_status, note)
       SELECT id, %(at)s, 'create', customer_id, 'customer', 'requested', 'Ring twice' FROM created
     )
SELECT created.*, a.firstname, a.lastname, a.phone FROM created JOIN accounts a ON a.id = created.customer_id
"""
OVER_LIMIT: Final = """
SELECT account_id FROM deliveries
 WHERE account_id = ANY(%(ids)s) AND kind = 'request_new' AND position = 0
   AND created_at > %(at)s - interval '25 hours' AND coalesce(not_before, created_at) > %(at)s - interval '1 hour'
 GROUP BY account_id HAVING count(*) >= %(limit)s
"""
DELIVERIES: Final = """
INSERT INTO deliveries (account_id, kind, subject, position, channel, next_channels, notification_id, request_id,
                        params, message_id)
SELECT account_id, 'request_new', 'n' || notification_id, 0, 'mail', '{}', notification_id, %(request_id)s,
       %(params)s, message_id
  FROM unnest(%(accounts)s::bigint[], %(notes)s::bigint[], %(message_ids)s::text[])
       AS given (account_id, notification_id, message_id)
ON CONFLICT DO NOTHING RETURNING id, not_before, kind
"""
JOBS: Final = """
INSERT INTO jobs (topic, lane, key, payload, dispatched_at)
SELECT 'notification.deliver', 'bulk', 'd' || id, jsonb_build_object('delivery_id', id), now()
  FROM unnest(%(ids)s::bigint[]) AS given (id)
ON CONFLICT (topic, key) DO NOTHING RETURNING id
"""
TITLE: Final = "New request: Plumbing"
BODY: Final = "A customer requests Plumbing. Date: 28 November, 10:00. Pincode: 560001. Remarks: Ring twice."


@dataclass(frozen=True)
class Stage:
    """A database with one customer, one task and its professionals."""

    app: Flask
    url: str
    crowd: Crowd
    task_id: int


@contextmanager
def stand() -> Iterator[Stage]:
    """A database of its own, with a crowd around one customer."""
    with tempfile.TemporaryDirectory(prefix="doorstep-create-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        url = server.start()
        try:
            yield _stage(url, Path(folder))
        finally:
            server.stop()


def measure() -> Figure:
    """Create requests by both, in turns."""
    with stand() as stage:
        return _measure(stage)


def _stage(url: str, folder: Path) -> Stage:
    limits = {"OPEN_REQUESTS_PER_CUSTOMER": "0", "REQUEST_MESSAGES_AN_HOUR": "1000"}
    environment = servers.environment(url, "redis://127.0.0.1:1/0", folder)
    app = create_app(Settings.from_env({**environment, "ENV": "test", **limits}))
    with app.app_context():
        upgrade()
    bootstrap.run(app)
    with app.app_context():
        task_id = make_task().id
        crowd = gather(task_id=task_id, professionals=PROFESSIONALS, requests=0)
        with transaction():
            availability.rebuild()
    return Stage(app, url, crowd, task_id)


def _measure(stage: Stage) -> Figure:
    seconds = {"ours": 0.0, "bare": 0.0}
    with stage.app.app_context(), psycopg.connect(stage.url, options="-c jit=off -c timezone=UTC") as connection:
        sides: dict[str, Callable[[datetime], object]] = {
            "ours": lambda date: _create(stage, date),
            "bare": lambda date: _script(connection, stage, date),
        }
        for number in range(-1, ROUNDS):  # the first round is not counted
            for name in sorted(sides, reverse=bool(number % 2)):
                began = perf_counter()
                for place in range(EACH):
                    sides[name](now() + timedelta(days=2, minutes=place))
                seconds[name] += perf_counter() - began if number >= 0 else 0
        rows = connection.execute("SELECT count(*) FROM jobs").fetchone()
        expected = 2 * (ROUNDS + 1) * EACH * NOTIFIED
        if rows != (expected,):
            raise SystemExit(f"{rows} jobs were written instead of {expected}")
        db.session.remove()
        db.engine.dispose()
    made = ROUNDS * EACH
    note = f"one customer, {NOTIFIED} professionals notified of each; {ROUNDS} rounds by turns"
    figure, baseline = made / seconds["ours"], made / seconds["bare"]
    return Figure("creating a request", figure, baseline, figure / baseline, GOAL, note=note)


def _create(stage: Stage, date: datetime) -> None:
    with transaction():
        new = actions.NewRequest(stage.task_id, date_of_request=date, remarks="Ring twice")
        actions.create(stage.crowd.customer, new=new)


def _sql(statement: ClauseElement) -> bytes:
    return str(statement.compile(dialect=PGDialect_psycopg())).encode()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


LOCKED: Final = _sql(actions.LOCKED)
TERMS: Final = _sql(policies.TERMS)
NEAREST: Final = _sql(matching.NEAREST)
WRITTEN: Final = _sql(notifications.WRITTEN)
ONE_BY_ONE: Final = _sql(digests.ONE_BY_ONE)


def _script(connection: "psycopg.Connection[Any]", stage: Stage, date: datetime) -> None:
    def run(sql: bytes | str, **values: object) -> list[Any]:
        text = sql if isinstance(sql, bytes) else sql.encode()
        return connection.execute(text, values, prepare=True).fetchall()

    at, customer_id, task_id = now(), stage.crowd.customer.id, stage.task_id
    locked = run(LOCKED, customer_id=customer_id, task_id=task_id)[0]
    address, pincode = locked[:2]
    name, price, currency, minutes = locked[5:9]
    own = {"customer_id": customer_id, "task_id": task_id}
    limits = {"most_open": 0, "is_new_account": False, "most_an_hour": 1, "hour_ago": at, "pincode": None}
    run(TERMS, **own, **limits)
    of_task = {"name": name, "price": price, "currency": currency, "minutes": minutes}
    request_id = run(REQUEST, **own, **of_task, date=date, address=address, pincode=pincode, at=at)[0][0]
    found = run(NEAREST, task_id=task_id, pincode=pincode, limit=NOTIFIED, customer_id=customer_id)
    accounts = sorted(row[0] for row in found)
    params = {"task": name, "date": date.isoformat(), "pincode": pincode, "remarks": "Ring twice"}
    shared = {"kind": "request_new", "title": TITLE, "body": BODY, "request_id": request_id, "params": params}
    rows = [{"account_id": account_id, **shared} for account_id in accounts]
    notes = [row[0] for row in run(WRITTEN, rows=orjson.dumps(rows).decode(), at=at)]
    run(ONE_BY_ONE, ids=accounts)
    run(OVER_LIMIT, ids=accounts, at=at, limit=1000)
    message_ids = [f"<{uuid.uuid4().hex}@localhost>" for _ in accounts]
    written = run(
        DELIVERIES,
        accounts=accounts,
        notes=notes,
        message_ids=message_ids,
        request_id=request_id,
        params=orjson.dumps(params).decode(),
    )
    run(JOBS, ids=[row[0] for row in written])
    connection.commit()


def main() -> int:
    """Print figure, baseline, ratio and goal."""
    figure = measure()
    print(f"{figure.work}: {figure.figure:,.0f}/s, baseline {figure.baseline:,.0f}/s, ", end="")
    print(f"ratio {figure.ratio:.2f}, goal {GOAL}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
