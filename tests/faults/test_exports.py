"""Exports through killed workers, a full disk, cancellation and lost leases."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.queue import Job, Lane
from backend.domain.exports import actions, csv_copy
from backend.domain.exports.models import Export
from backend.domain.notifications import create
from backend.domain.notifications.models import Notification
from backend.jobs import exports as exports_job
from backend.jobs import runner
from backend.settings import ROOT
from tests.factories import closed_requests as made
from tests.factories.jobs import work
from tests.factories.users import User, Users

ROWS = 5000
NO_ROOM = "The file storage is full. The site operator must free some space."
RUN_ONE = """
from backend.app import create_app
from backend.jobs import exports, runner
exports.ROWS_PER_PART = {rows}
with create_app().app_context():
    print(runner.run({job_id}))
"""


@pytest.fixture
def admin(users: Users) -> User:
    shutil.rmtree(current_settings().data_dir / "exports", ignore_errors=True)  # ids start from 1 in every test
    made.many(made.market(), ROWS)
    return users.admin()


@pytest.fixture
def frequent_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report progress after every few rows."""
    monkeypatch.setattr(exports_job, "PROGRESS_SECONDS", 0)
    monkeypatch.setattr(csv_copy, "PIECE_ROWS", 500)


def ask(admin: User) -> dict[str, Any]:
    body: dict[str, Any] = admin.post("/exports", {}).json
    return body


def job_of(export: dict[str, Any]) -> int:
    found = db.session.execute(select(Job.id).where(Job.topic == actions.TOPIC.name, Job.key == str(export["id"])))
    job_id = found.scalar_one()
    db.session.rollback()
    return job_id


def files_of(export: dict[str, Any]) -> list[str]:
    """Return the names of an export's files, including unfinished ones."""
    folder = current_settings().data_dir / "exports"
    return sorted(path.name for path in folder.glob("*") if path.name.lstrip(".").startswith(f"{export['id']}-"))


def part_files() -> list[str]:
    folder = current_settings().data_dir / "exports" / "parts"
    return sorted(path.name for path in folder.glob("*"))


def parts_of(export: dict[str, Any]) -> list[str]:
    found = db.session.execute(select(Export.parts).where(Export.id == export["id"])).scalar_one()
    db.session.rollback()
    return found


def kinds(admin: User) -> list[str]:
    return list(db.session.execute(select(Notification.kind).where(Notification.account_id == admin.id)).scalars())


@pytest.mark.faults
@pytest.mark.parametrize(
    "crash",
    [
        ("export.written", 100_000, 0),
        ("job.before_commit", 100_000, 0),
        ("job.after_commit", 100_000, 0),
        ("export.part_written", 1500, 0),
        ("export.part_kept", 1500, 1),
        ("export.written", 1500, 3),
    ],
)
def test_export_by_killed_worker_is_finished_by_next_one(
    admin: User, environ: dict[str, str], tmp_path: Path, crash: tuple[str, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, rows_per_part, parts = crash
    monkeypatch.setattr(exports_job, "ROWS_PER_PART", rows_per_part)
    export = ask(admin)
    job_id = job_of(export)
    store = current_settings().data_dir / "exports"
    dying = {**environ, "CRASH_AT": place, "DATA_DIR": str(tmp_path), "EXPORT_STORE_URL": f"file://{store}"}
    died = subprocess.run(
        [sys.executable, "-c", RUN_ONE.format(job_id=job_id, rows=rows_per_part)],
        env=dying,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert died.returncode == -9, died.stderr
    assert len(parts_of(export)) == parts
    with transaction():
        db.session.execute(update(Job).where(Job.id == job_id).values(lease_until=None))
    runner.run(job_id)
    done = admin.get(f"/exports/{export['id']}").json
    assert (done["status"], done["rows"], done["progress"]) == ("done", ROWS, 100)
    assert len(files_of(export)) == 1
    lines = admin.get(done["download_url"]).get_data().splitlines()
    assert len(lines) == len(set(lines)) == ROWS + 1
    assert kinds(admin) == ["export_done"]
    work()
    assert part_files() == []


def test_export_in_parts_lets_other_jobs_run_and_equals_one_in_one_go(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notification beside two large exports waits for one part of one of them, even where one process runs all."""
    whole = ask(admin)
    assert runner.run(job_of(whole)) == "done"
    monkeypatch.setattr(exports_job, "ROWS_PER_PART", 1000)
    first, second = ask(admin), ask(admin)
    with transaction():
        create.notify(admin.id, "approved")
        db.session.execute(update(Job).where(Job.done_at.is_(None)).values(run_at=func.now() - timedelta(minutes=1)))
    assert runner.run_exports() == {job_of(first): "retry"}
    assert [status_of(admin, export)["rows"] for export in (first, second)] == [1000, 0]
    assert status_of(admin, first)["progress"] == 20
    assert set(runner.run_next(Lane.BULK).values()) == {"done"}
    assert kinds(admin).count("approved") == 1

    monkeypatch.setattr(exports_job, "SECONDS_AT_ONCE", 0)  # now they take turns, part by part
    outcomes = [runner.run_exports() for _ in range((ROWS // 1000 + 1) * 2 - 1)]
    assert [list(one.values()) for one in outcomes[-2:]] == [["done"], ["done"]]
    assert [next(iter(one)) for one in outcomes[:3]] == [job_of(second), job_of(first), job_of(second)]
    files = [admin.get(f"/exports/{export['id']}/download").get_data() for export in (whole, first, second)]
    assert files[0] == files[1] == files[2]
    work()
    assert part_files() == []


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_export_that_ends_without_a_file_leaves_no_part(
    admin: User, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    monkeypatch.setattr(exports_job, "ROWS_PER_PART", 1000)
    monkeypatch.setattr(exports_job, "SECONDS_AT_ONCE", 0)
    export = ask(admin)
    assert runner.run(job_of(export)) == "retry"
    assert len(parts_of(export)) == len(part_files()) == 1
    if is_cancelled:
        admin.post(f"/exports/{export['id']}/cancel")
    else:
        with transaction():
            db.session.execute(update(Job).where(Job.id == job_of(export)).values(attempts=exports_job.ATTEMPTS))
    work()
    assert status_of(admin, export)["status"] == "failed"
    assert part_files() == []


@pytest.mark.faults
def test_export_on_full_disk_fails_and_leaves_no_file(admin: User) -> None:
    export = ask(admin)
    with largest_file(64 * 1024):
        assert runner.run(job_of(export)) == "done"
    failed = admin.get(f"/exports/{export['id']}").json
    assert (failed["status"], failed["failure"], failed["download_url"]) == ("failed", NO_ROOM, None)
    assert files_of(export) == []
    assert kinds(admin) == ["export_failed"]
    assert admin.get(f"/exports/{export['id']}/download").json["code"] == "export_failed"


@pytest.mark.usefixtures("frequent_progress")
def test_export_progress_is_visible_during_run(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask(admin)
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(actions, "advance", after(actions.advance, lambda: seen.append(status_of(admin, export))))
    runner.run(job_of(export))
    rows = [one["rows"] for one in seen]
    assert rows == sorted(set(rows))
    assert all(one["status"] == "running" and 0 < one["progress"] < 100 for one in seen)


@pytest.mark.usefixtures("frequent_progress")
def test_export_cancelled_during_run_leaves_no_file(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask(admin)
    cancel = lambda: admin.post(f"/exports/{export['id']}/cancel")  # noqa: E731 - short and used once
    monkeypatch.setattr(actions, "advance", after(actions.advance, cancel))
    assert runner.run(job_of(export)) == "done"
    assert status_of(admin, export)["failure"] == actions.CANCELLED
    assert files_of(export) == []
    assert kinds(admin) == []


@pytest.mark.usefixtures("frequent_progress")
def test_export_with_terminated_database_connection_is_retried(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask(admin)
    job_id = job_of(export)
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'")
    with monkeypatch.context() as patched:
        patched.setattr(actions, "advance", after(actions.advance, lambda: db.session.execute(cut)))
        assert runner.run(job_id) == "retry"
    assert files_of(export) == []
    with transaction():
        db.session.execute(update(Job).where(Job.id == job_id).values(run_at=made.NOON))
    assert runner.run(job_id) == "done"
    assert status_of(admin, export)["rows"] == ROWS
    assert len(files_of(export)) == 1


@pytest.mark.usefixtures("frequent_progress")
def test_export_by_worker_without_lease_is_discarded(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease expires while the worker writes; another worker finishes, and the first result is discarded."""
    export = ask(admin)
    job_id = job_of(export)
    outcomes: list[str] = []

    def taken_by_another() -> None:
        if not outcomes:
            outcomes.append("started")
            with transaction():
                db.session.execute(update(Job).where(Job.id == job_id).values(lease_until=None))
            outcomes.append(runner.run(job_id))

    monkeypatch.setattr(actions, "advance", after(actions.advance, taken_by_another))
    assert runner.run(job_id) in ("lost", "retry")
    assert outcomes == ["started", "done"]
    assert status_of(admin, export)["status"] == "done"
    assert len(admin.get(f"/exports/{export['id']}/download").get_data().splitlines()) == ROWS + 1
    assert kinds(admin) == ["export_done"]


def test_export_by_admin_blocked_meanwhile_fails(admin: User, app: Flask) -> None:
    from backend.domain.accounts.models import Account

    export = ask(admin)
    with transaction():
        blocked = {"blocked_at": made.NOON, "blocked_reason": "other"}
        db.session.execute(update(Account).where(Account.id == admin.id).values(blocked))
    runner.run(job_of(export))
    with transaction():
        db.session.execute(update(Account).where(Account.id == admin.id).values(blocked_at=None, blocked_reason=None))
    assert status_of(admin, export)["status"] == "failed"


def status_of(admin: User, export: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = admin.get(f"/exports/{export['id']}").json
    return body


def after(step: Callable[..., None], then: Callable[[], Any]) -> Callable[..., None]:
    """Return the step followed by another action in a separate transaction."""

    def both(*arguments: Any) -> None:
        step(*arguments)
        db.session.commit()
        exports_job.aside(then)

    return both


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit the size of files that this process writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
