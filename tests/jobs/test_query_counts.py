"""How many statements each job runs: the numbers of today, so that one more is noticed.

Each is counted from the claim of the job to the end of its transaction, COMMIT included where it is sent with the last
statement. A change that needs fewer lowers the number here; a change that needs more gives its reason in the commit. A
job that works on many rows runs as many statements for a few rows as for many.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core import storage
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.observability.fleet import Process
from backend.core.queue import Job, JobRun, StoredFilePayload, Topic, admin, enqueue, runs
from backend.core.security.authz import Actor, Role
from backend.domain.accounts import sign_in
from backend.domain.documents import actions as documents
from backend.domain.exports import actions as exports
from backend.domain.exports import compression
from backend.domain.market.models import MarketSetting
from backend.domain.notifications import create
from backend.domain.offers.models import Offer
from backend.domain.professionals import availability
from backend.domain.visits.models import VisitLink
from backend.jobs import exports as export_job
from backend.jobs import housekeeping, reminders, reports, runner
from backend.jobs.registry import HANDLERS
from backend.jobs.topics import AVAILABILITY_RECOUNT, DOCUMENT_SWEEP, HOUSEKEEPING, REMINDERS, REPORTS, VISIT_REMINDERS
from tests.conftest import empty_the_market
from tests.factories import closed_requests as made
from tests.factories.files import picture
from tests.factories.jobs import fresh_run, work_on
from tests.factories.queries import count_queries

FEW: Final = 2
MANY: Final = 12
MONTH: Final = "2026-10"
LONG_AGO: Final = timedelta(days=500)


def start(name: str) -> int:
    """Start a run of a scheduled job and return its id."""
    row = admin.scheduled(name)
    with transaction():
        return runs.start(row, params=row.check({}), requested_by=None)


def run_jobs_up_to(topic: str, *, before: str) -> None:
    """Run the jobs of a topic, which enqueue those of the topic that is counted."""
    work_on(topic)
    assert waiting(before), f"{topic} has enqueued no {before}"


def waiting(topic: str) -> list[int]:
    """Return the ids of the waiting jobs of a topic."""
    ids = list(db.session.execute(select(Job.id).where(Job.topic == topic, Job.done_at.is_(None))).scalars())
    db.session.rollback()
    return ids


def professionals(number: int, *, task_id: int, **changes: object) -> list[int]:
    """Create professionals who offer the task, counted in the places that they serve."""
    ids = [made.professional(**changes) for _ in range(number)]
    with transaction():
        offers = text(
            "INSERT INTO professional_tasks (account_id, task_id) SELECT unnest(CAST(:ids AS bigint[])), :task"
        )
        db.session.execute(offers, {"ids": ids, "task": task_id})
        for account_id in ids:
            availability.refresh(account_id)
    return ids


def delivery(rows: int) -> None:
    of = made.market()
    with transaction():
        create.notify(of.customer_id, "approved")


def reset_link(rows: int) -> None:
    account_id = made.account(Role.CUSTOMER)
    with transaction():
        email = db.session.execute(text("SELECT email FROM accounts WHERE id = :id"), {"id": account_id}).scalar_one()
        enqueue(sign_in.RESET_TOPIC, sign_in.ResetRequest(email))


def dropped_file(topic: Topic[StoredFilePayload]) -> Callable[[int], None]:
    def prepare(rows: int) -> None:
        with transaction():
            enqueue(topic, StoredFilePayload(f"2026/01/{uuid4().hex}.png"))

    return prepare


def export(rows: int) -> None:
    of = made.market()
    made.many(of, rows)
    asker = made.account(Role.ADMIN)
    with transaction():
        exports.ask(Actor(id=asker, role=Role.ADMIN))


def dropped_parts(rows: int) -> None:
    with transaction():
        enqueue(exports.PARTS_TOPIC, compression.ExportPayload(1))


def packing(rows: int) -> None:
    export(rows)
    work_on(exports.TOPIC.name)
    with transaction():
        export_id = db.session.execute(text("SELECT id FROM exports")).scalar_one()
        enqueue(compression.TOPIC, compression.ExportPayload(export_id))


def report_run(rows: int) -> None:
    created = {"ids": [made.account(Role.CUSTOMER) for _ in range(rows)], "at": now() - timedelta(days=90)}
    with transaction():
        sql = "UPDATE accounts SET created_at = :at WHERE id = ANY(CAST(:ids AS bigint[]))"
        db.session.execute(text(sql), created)
    start("monthly-reports")


def report_batch(rows: int) -> None:
    report_run(rows)
    run_jobs_up_to(REPORTS.name, before=reports.PART.name)


def reminder_run(rows: int) -> None:
    of = made.market()
    professionals(rows, task_id=of.task_id)
    made.request(of, status="requested", at=now() + timedelta(days=3))
    start("daily-reminders")


def reminder_batch(rows: int) -> None:
    reminder_run(rows)
    run_jobs_up_to(REMINDERS.name, before=reminders.PART.name)


def completion(rows: int) -> None:
    report_batch(rows)
    run_jobs_up_to(reports.PART.name, before=runs.COMPLETE.name)
    while waiting(create.TOPIC.name):  # on a slow machine a batch ends before its last job
        work_on(create.TOPIC.name)


def recount(rows: int) -> None:
    professionals(rows, task_id=made.task())
    with transaction():
        db.session.execute(text("UPDATE professional_areas SET radius_km = radius_km + 1"))  # each is wrong
    start("availability-recount")


def sweep(rows: int) -> None:
    for _ in range(rows):
        key = f"2026/01/{uuid4().hex}.png"
        storage.documents().put(key, picture())
        long_ago = (now() - LONG_AGO).timestamp()
        os.utime(Path(current_settings().data_dir, "documents", key), (long_ago, long_ago))
    start("document-sweep")


def visit_reminder_run(rows: int) -> None:
    """Create visits within the next two hours, each with a customer and a professional to remind."""
    of = made.market()
    with transaction():
        db.session.add(MarketSetting(name="visit_reminders", value="on"))
    for number in range(rows):
        at = now() + timedelta(minutes=61 + number)
        other = made.Market(of.customer_id, made.professional(), of.task_id)
        made.request(
            other, status="accepted", at=at + timedelta(hours=1), date_of_request=at, accepted_at=now() - LONG_AGO
        )
    start("visit-reminders")


def housekeeping_run(rows: int) -> None:
    """Create as many rows for each part as it takes to see whether its statements grow with them."""
    of = made.market()
    past, soon = now() - timedelta(hours=2), now() + timedelta(days=2)
    with transaction():
        for statement in OLD_ROWS:
            values = {"customer": of.customer_id, "rows": rows, "old": now() - LONG_AGO}
            db.session.execute(text(statement), values)
    professionals(rows, task_id=of.task_id, approval_expires_at=past)
    professionals(rows, task_id=of.task_id, approval_expires_at=now() + timedelta(days=3))
    rejected = made.Market(of.customer_id, made.professional(approval="rejected"), of.task_id)
    asked: dict[str, Any] = {"asked_professional_id": of.professional_id, "asked_until": past}
    for hours in range(rows):
        made.request(of, status="requested", date_of_request=past, created_at=past)
        made.request(of, status="requested", date_of_request=soon, created_at=past, **asked)
        made.request(rejected, status="accepted", at=soon + timedelta(hours=3 * hours))
        shared = made.request(of, status="cancelled")
        with transaction():
            db.session.add(VisitLink(request_id=shared.id, token_hash=f"shared{hours}"))
            over = {"professional_id": of.professional_id, "amount": 500, "valid_until": past, "slot": 1}
            db.session.add(Offer(request_id=shared.id, **over))
    with transaction():
        for statement in OLD_PHOTOS:
            values = {"customer": of.customer_id, "old": now() - LONG_AGO}
            db.session.execute(text(statement), values)
    for number in range(rows):
        ended: dict[str, Any] = {"key_digest": "", "settings": {}, "started_at": past, "seen_at": now() - LONG_AGO}
        with transaction():
            db.session.add(
                Process(id=str(uuid4()), kind="web", machine="m", pid=number, parent_pid=1, version="0.2.0", **ended)
            )
        folder = current_settings().data_dir / "mail"
        folder.mkdir(exist_ok=True)
        file = folder / f"old{number}.eml"
        file.write_text("old")
        os.utime(file, ((now() - LONG_AGO).timestamp(),) * 2)
    start("housekeeping")


OLD_PHOTOS: Final = (
    "UPDATE task_requests SET cancelled_at = :old WHERE status = 'cancelled' AND customer_id = :customer",
    """INSERT INTO request_photos (request_id, author_id, author_role, phase, slot, width, height, size, sha256,
                                   store_key, thumb_size, thumb_sha256, thumb_store_key, created_at)
       SELECT id, :customer, 'customer', 'problem', 1, 1, 1, 1, 'x', 'full' || id, 1, 'x', 'thumb' || id, :old
         FROM task_requests WHERE status = 'cancelled'""",
)
OLD_ROWS: Final = (
    "INSERT INTO dashboard_zones (zone) VALUES ('Asia/Kolkata')",
    """INSERT INTO notifications (account_id, kind, title, body, created_at)
       SELECT :customer, 'approved', 't', 'b', :old FROM generate_series(1, :rows)""",
    """INSERT INTO monthly_reports (customer_id, month, figures, created_at)
       SELECT :customer, date '2001-01-01' + make_interval(months => n), '{}', now() - interval '3 years'
         FROM generate_series(1, :rows) n""",
    """INSERT INTO idempotency_keys (account_id, key, fingerprint, created_at)
       SELECT :customer, 'k' || n, 'x', :old FROM generate_series(1, :rows) n""",
    """INSERT INTO sessions (account_id, client, current_jti, created_at, expires_at, ended_at)
       SELECT :customer, 'api', 'j' || n, :old, :old, :old FROM generate_series(1, :rows) n""",
    """INSERT INTO sign_in_failures (account_key, address, at)
       SELECT 'a' || n, '192.0.2.1', :old FROM generate_series(1, :rows) n""",
    """INSERT INTO mailed_links (token_hash, account_id, purpose, email_key, created_at, expires_at)
       SELECT 'h' || n, :customer, 'password_reset', 'x', :old, :old FROM generate_series(1, :rows) n""",
    """INSERT INTO phone_codes (account_id, phone, code_hash, address, created_at, expires_at)
       SELECT :customer, '+91' || n, 'h', '127.0.0.1', :old, :old FROM generate_series(1, :rows) n""",
    """INSERT INTO jobs (topic, payload, created_at, done_at) SELECT 't', '{}', :old, :old
         FROM generate_series(1, :rows)""",
    """INSERT INTO job_runs (name, period, status, created_at, finished_at)
       SELECT 'housekeeping', 'old' || n, 'done', :old, :old FROM generate_series(1, :rows) n""",
    """INSERT INTO deliveries (account_id, kind, subject, channel, state, message_id, created_at)
       SELECT :customer, 'reminder', 'sent' || n, 'mail', 'sent', 'm' || n, :old FROM generate_series(1, :rows) n""",
    """INSERT INTO deliveries (account_id, kind, subject, channel, state, message_id, created_at)
       SELECT :customer, 'reminder', 'stuck' || n, 'mail', 'waiting', 'w' || n, now() - interval '1 hour'
         FROM generate_series(1, :rows) n""",
    """INSERT INTO sms_usage (delivery_id, account_id, phone, is_code, at)
       SELECT id, account_id, '+91' || id, false, :old FROM deliveries WHERE state = 'waiting'""",
    """INSERT INTO web_assets (name, content, superseded_at)
       SELECT n || '.js', '', :old FROM generate_series(1, :rows) n""",
    """INSERT INTO exports (requested_by, status, rows, store_key, size, sha256, created_at, finished_at, expires_at)
       SELECT :customer, 'done', 0, n || '-gone.csv', 1, '0', :old, :old, :old FROM generate_series(1, :rows) n""",
)


@dataclass(frozen=True)
class Counted:
    """A topic's job: ``prepare`` makes the rows for it to work on, and the job."""

    prepare: Callable[[int], None]
    statements: int
    works_on_many: bool = False


TABLE: Final[dict[str, Counted]] = {
    create.TOPIC.name: Counted(delivery, 5),
    sign_in.RESET_TOPIC.name: Counted(reset_link, 9),
    documents.DROP_TOPIC.name: Counted(dropped_file(documents.DROP_TOPIC), 2),
    exports.DROP_TOPIC.name: Counted(dropped_file(exports.DROP_TOPIC), 2),
    exports.PARTS_TOPIC.name: Counted(dropped_parts, 2),
    exports.TOPIC.name: Counted(export, 18, works_on_many=True),
    compression.TOPIC.name: Counted(packing, 4, works_on_many=True),
    REMINDERS.name: Counted(reminder_run, 7, works_on_many=True),
    reminders.PART.name: Counted(reminder_batch, 10, works_on_many=True),
    VISIT_REMINDERS.name: Counted(visit_reminder_run, 12, works_on_many=True),
    REPORTS.name: Counted(report_run, 7, works_on_many=True),
    reports.PART.name: Counted(report_batch, 12, works_on_many=True),
    runs.COMPLETE.name: Counted(completion, 5, works_on_many=True),
    HOUSEKEEPING.name: Counted(housekeeping_run, 100, works_on_many=True),
    AVAILABILITY_RECOUNT.name: Counted(recount, 22, works_on_many=True),
    DOCUMENT_SWEEP.name: Counted(sweep, 8, works_on_many=True),
}
SIZES: Final = [
    (topic, size) for topic, row in TABLE.items() for size in ((FEW, MANY) if row.works_on_many else (FEW,))
]


def run_counted(topic: str, rows: int) -> list[str]:
    """Run the topic's one waiting job on so many rows and return its statements."""
    empty_the_market()
    TABLE[topic].prepare(rows)
    (job_id,) = waiting(topic)
    db.session.remove()
    with count_queries() as counted:
        assert runner.run(job_id) == "done"
    return counted.statements


def test_every_topic_has_a_number_of_statements() -> None:
    assert sorted(TABLE) == sorted(HANDLERS)


@pytest.mark.parametrize(("topic", "rows"), SIZES)
def test_job_runs_the_number_of_statements_of_its_row(
    app: Flask, topic: str, rows: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(export_job, "PROGRESS_SECONDS", 3600)  # a slow machine would record progress
    run_counted(topic, FEW)  # what a process reads once
    statements = run_counted(topic, rows)
    shown = "\n".join(" ".join(statement.split())[:200] for statement in statements)
    assert len(statements) == TABLE[topic].statements, f"{len(statements)} statements:\n{shown}"


def test_housekeeping_of_the_table_has_rows_for_every_part(app: Flask) -> None:
    run_counted(HOUSEKEEPING.name, FEW)
    run_id = db.session.execute(select(JobRun.id).where(JobRun.period.startswith("asked"))).scalar_one()
    figures = fresh_run(run_id).params["figures"]
    assert isinstance(figures, dict)
    assert {part.name for part in housekeeping.PARTS if figures.get(part.name, 0) < FEW} == set()
