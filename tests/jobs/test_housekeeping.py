"""Housekeeping: one transaction per batch, limits, retention, and index use."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, cast

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from flask import Flask
from sqlalchemy import Connection, event, select, text

from backend.core import idempotency
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.queue import JobRun, admin, retention, runs
from backend.core.security.authz import Role
from backend.domain.accounts import links, phones, throttle
from backend.domain.accounts import sessions as accounts
from backend.domain.dashboard import queries
from backend.domain.notifications import retention as notification_retention
from backend.domain.notifications import sms_limits
from backend.domain.reports import retention as reports
from backend.domain.task_requests import bulk
from backend.jobs import housekeeping, runner
from backend.jobs.housekeeping import Part
from tests.factories import closed_requests as made
from tests.factories.jobs import fresh_run, run_now


def note(name: str) -> int:
    """Insert a row that other connections see once it is committed."""
    db.session.execute(text("INSERT INTO market_settings (name, value) VALUES (:name, '1')"), {"name": name})
    return 1


def committed_rows() -> set[str]:
    """Return the inserted rows that other connections see."""
    with db.engine.connect() as other:
        return set(other.execute(text("SELECT name FROM market_settings")).scalars())


def test_housekeeping_commits_each_part_before_the_next(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def record(_: int) -> int:
        seen.append(committed_rows())
        return 0

    def fail(_: int) -> int:
        note("undone")
        raise RuntimeError("this part fails")

    parts = (Part("first", lambda _: note("first")), Part("failing", fail), Part("last", record))
    monkeypatch.setattr(housekeeping, "PARTS", parts)
    run = run_now("housekeeping")
    assert seen == [{"first"}]
    assert (run.status, run.sent, run.failed) == ("done", 1, 1)
    assert (run.params["figures"], run.params["failed_parts"]) == ({"first": 1}, ["failing"])


def test_housekeeping_part_repeats_full_batches_up_to_limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [12]

    def some(limit: int) -> int:
        done = min(limit, left[0])
        left[0] -= done
        return done

    parts = (Part("some", some, 5), Part("endless", lambda limit: limit, 3))
    monkeypatch.setattr(housekeeping, "PARTS", parts)
    run = run_now("housekeeping")
    assert run.params["figures"] == {"some": 12, "endless": 3 * housekeeping.ROUNDS}


def test_housekeeping_part_goes_on_after_batch_with_rows_put_off(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [(5, 4), (5, 0), (5, 5), (2, 1), (5, 5)]
    monkeypatch.setattr(housekeeping, "PARTS", (Part("some", lambda _: batches.pop(0), 5),))
    run = run_now("housekeeping")
    assert (run.params["figures"], run.sent) == ({"some": 10}, 10)
    assert batches == [(5, 5)], "a batch that is not full is the last"


def test_housekeeping_over_soft_time_limit_keeps_finished_parts(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(_: int) -> int:
        raise SoftTimeLimitExceeded

    parts = (Part("first", lambda _: note("first")), Part("slow", too_long), Part("never", lambda _: note("never")))
    monkeypatch.setattr(housekeeping, "PARTS", parts)
    with transaction():
        run_id = runs.start(admin.scheduled("housekeeping"), params={}, requested_by=None)
    job_id = db.session.execute(text("SELECT id FROM jobs")).scalar_one()
    db.session.rollback()
    assert runner.run(job_id) == "retry"
    assert committed_rows() == {"first"}
    assert (fresh_run(run_id).status, fresh_run(run_id).sent) == ("running", 1)


def test_drop_old_runs_keeps_runs_as_long_as_configured_per_job(app: Flask) -> None:
    with transaction():
        for name, days in (("housekeeping", 3), ("housekeeping", 1), ("daily-reminders", 3), ("daily-reminders", 401)):
            at = now() - timedelta(days=days)
            db.session.add(JobRun(name=name, period=f"{name}{days}", status="done", created_at=at, finished_at=at))
            db.session.flush()
        for name in ("housekeeping", "daily-reminders"):  # the newest stays in any case
            db.session.add(JobRun(name=name, period="newest", status="done", finished_at=now()))
    with transaction():
        assert retention.drop_old_runs() == 2
    assert set(db.session.execute(select(JobRun.period)).scalars()) == {"housekeeping1", "daily-reminders3", "newest"}


FILL = {
    "notifications": """
        INSERT INTO notifications (account_id, kind, title, body, created_at)
        SELECT :customer, 'approved', 't', 'b', now() - make_interval(days => n % 399)
          FROM generate_series(1, 20000) n""",
    "idempotency_keys": """
        INSERT INTO idempotency_keys (account_id, key, fingerprint, body, created_at)
        SELECT :customer, 'k' || n, 'x', decode(repeat('ab', 200), 'hex'), now() - make_interval(mins => n % 1000)
          FROM generate_series(1, 20000) n""",
    "monthly_reports": """
        INSERT INTO monthly_reports (customer_id, month, figures, created_at)
        SELECT :customer, date '0101-01-01' + make_interval(months => n), '{}', now() - make_interval(days => n % 700)
          FROM generate_series(1, 20000) n""",
    "sessions": """
        INSERT INTO sessions (account_id, client, current_jti, created_at, expires_at, ended_at)
        SELECT :customer, 'api', 'j' || n, now(), now() + interval '20 days',
               CASE WHEN n % 2 = 0 THEN now() - make_interval(days => n % 28) END FROM generate_series(1, 20000) n""",
    "sign_in_failures": """
        INSERT INTO sign_in_failures (account_key, address, at) SELECT 'a' || n, '192.0.2.1', now()
          FROM generate_series(1, 20000) n""",
    "mailed_links": """
        INSERT INTO mailed_links (token_hash, account_id, purpose, email_key, created_at, expires_at)
        SELECT 'h' || n, :customer, 'password_reset', 'x', now(), now() + interval '1 hour'
          FROM generate_series(1, 20000) n""",
    "jobs": """
        INSERT INTO jobs (topic, payload, done_at, dead_at)
        SELECT 't', '{}', CASE WHEN n % 500 > 0 THEN now() END, CASE WHEN n % 1000 = 0 THEN now() END
          FROM generate_series(1, 20000) n""",
    "deliveries": """
        INSERT INTO deliveries (account_id, kind, subject, channel, state, params, message_id)
        SELECT :customer, 'reminder', 's' || n, 'mail', 'sent', '{}', 'm' || n FROM generate_series(1, 20000) n""",
    "phone_codes": """
        INSERT INTO phone_codes (account_id, phone, code_hash, address, created_at, expires_at)
        SELECT :customer, '+91' || n, 'h', '127.0.0.1', now(), now() FROM generate_series(1, 20000) n""",
    "sms_usage": """
        INSERT INTO sms_usage (delivery_id, account_id, phone, is_code)
        SELECT id, account_id, '+91' || id, false FROM deliveries""",
}
DROPS = (
    notification_retention.drop_old_notifications,
    notification_retention.drop_old_deliveries,
    reports.drop_old,
    accounts.drop_old_sessions,
    retention.drop_done_jobs,
)
FEW_PAGES = 30  # of 250 and more that each of the tables has
AGED = (
    "INSERT INTO notifications (account_id, kind, created_at) VALUES (:customer, 'approved', :at)",
    """INSERT INTO deliveries (account_id, kind, subject, channel, state, message_id, created_at)
       VALUES (:customer, 'reminder', :name, 'mail', 'sent', :name, :at)""",
    """INSERT INTO monthly_reports (customer_id, month, figures, created_at)
       VALUES (:customer, date_trunc('month', CAST(:at AS timestamptz)), '{}', :at)""",
    """INSERT INTO sessions (account_id, client, current_jti, created_at, expires_at, ended_at)
       VALUES (:customer, 'api', :name, :at, :at, :at)""",
    "INSERT INTO jobs (topic, payload, done_at) VALUES ('t', '{}', :at)",
)
DASHBOARD = {"now": "2026-11-01", "starts": "2026-11-01", "ends": "2026-12-01"}


@pytest.fixture
def filled(app: Flask) -> Flask:
    """Fill tables with mostly recent rows, enough for the planner to use indexes, and analyse them."""
    of = made.market()
    with transaction():
        for statement in FILL.values():
            db.session.execute(text(statement), {"customer": of.customer_id})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in FILL:
            connection.execute(text(f"ANALYZE {table}"))
    return app


Plans = list[dict[str, dict[str, int]]]


def explained(work: Callable[[], object], order: str) -> list[list[object]]:
    """Return the lines that this EXPLAIN gives for each statement of the work, which is rolled back."""
    found: list[list[object]] = []

    def explain(connection: Connection, _: object, statement: str, parameters: dict[str, object], *__: object) -> None:
        if not statement.startswith("EXPLAIN"):
            found.append([row[0] for row in connection.exec_driver_sql(f"{order} {statement}", parameters)])

    event.listen(db.engine, "before_cursor_execute", explain)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", explain)
        db.session.rollback()
    assert found
    return found


def pages_read_by(work: Callable[[], object]) -> list[int]:
    """Return how many pages each statement of the work reads, from memory or not."""
    found = explained(work, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)")
    roots = [cast("Plans", lines[0])[0]["Plan"] for lines in found]
    return [root["Shared Hit Blocks"] + root["Shared Read Blocks"] for root in roots]


def scans_of(work: Callable[[], object]) -> set[str]:
    """Return the tables that the statements of the work scan sequentially."""
    lines = [str(line) for lines in explained(work, "EXPLAIN") for line in lines]
    return {line.split("Seq Scan on ")[1].split()[0] for line in lines if "Seq Scan on " in line}


def dashboard_of_jobs() -> object:
    return db.session.execute(queries.JOBS, DASHBOARD)


RETAINING: Final[list[Callable[[], object]]] = [
    notification_retention.drop_old_notifications,
    notification_retention.drop_old_deliveries,
    notification_retention.revive,
    idempotency.drop_expired,
    accounts.drop_old_sessions,
    throttle.drop_expired,
    links.drop_expired,
    phones.drop_old_codes,
    sms_limits.drop_old,
    retention.drop_done_jobs,
    reports.drop_old,
    dashboard_of_jobs,
]


def test_retention_statements_use_indexes(filled: Flask) -> None:
    """Each is rolled back, so that all have the same rows."""
    scanned = {f"{work.__module__}.{work.__name__}": scans_of(work) & set(FILL) for work in RETAINING}
    assert not {name: tables for name, tables in scanned.items() if tables}


def test_rows_are_kept_as_long_as_their_settings_say(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = made.account(Role.CUSTOMER)
    kept = {f"{name}_keep_days": 90 for name in ("notifications", "deliveries", "sessions", "jobs")}
    changed = replace(app.extensions["settings"], **kept, reports_keep_months=3)
    monkeypatch.setitem(app.extensions, "settings", changed)
    with transaction():
        for days in (80, 95, 200):
            for statement in AGED:
                values = {"customer": customer, "name": f"n{days}", "at": now() - timedelta(days=days)}
                db.session.execute(text(statement), values)
    with transaction():
        assert [drop(1) for drop in DROPS] == [1] * len(DROPS)
    with transaction():
        assert [drop(500) for drop in DROPS] == [1] * len(DROPS)
    with transaction():
        assert [drop(500) for drop in DROPS] == [0] * len(DROPS)


def test_retention_with_nothing_old_reads_few_pages(filled: Flask) -> None:
    """An index that is read from one end to the other is no sequential scan either, and grows with the table."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM deliveries, notifications, monthly_reports, sessions, jobs"))
    pages = {f"{work.__module__}.{work.__name__}": max(pages_read_by(work)) for work in DROPS}
    assert max(pages.values()) <= FEW_PAGES, pages


def test_release_unapproved_uses_index_on_professionals(app: Flask) -> None:
    of = made.market()
    some = [made.professional() for _ in range(40)]
    values = {"task": of.task_id, "customer": of.customer_id, "some": some, "first": now() + timedelta(days=2)}
    with transaction():
        db.session.execute(text(ACCEPTED), values)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE task_requests"))
        connection.execute(text("ANALYZE professionals"))
    assert scans_of(bulk.release_unapproved) & {"task_requests"} == set()
    with transaction():
        db.session.execute(
            text("UPDATE professionals SET approval = 'rejected' WHERE account_id = :id"), {"id": some[0]}
        )
    with transaction():
        assert bulk.release_unapproved(limit=100) == 100


ACCEPTED = """
    INSERT INTO task_requests (task_id, task_name, customer_id, professional_id, status, date_of_request, price,
                               currency, time_required, address, pincode, accepted_at, busy)
    SELECT :task, 'x', :customer, professional, 'accepted', CAST(:first AS timestamptz) + make_interval(hours => n),
           1, 'INR', 30, 'x', '560001', now(),
           tstzrange(CAST(:first AS timestamptz) + make_interval(hours => n),
                     CAST(:first AS timestamptz) + make_interval(hours => n, mins => 30))
      FROM generate_series(1, 200) n, unnest(CAST(:some AS bigint[])) professional
"""
