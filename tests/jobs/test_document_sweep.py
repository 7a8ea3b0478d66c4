"""The daily sweep: files that no document needs go, all others stay; so much that it must be a mistake stays too."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core import storage
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.queue import Job, JobRun, runs
from backend.domain.documents import actions
from backend.domain.documents import orphans as document_orphans
from backend.domain.documents.models import Document
from backend.jobs import schedule
from tests.factories.files import form, picture
from tests.factories.jobs import work
from tests.factories.people import People

LATER = timedelta(days=2, minutes=1)
SWEEP = next(one for one in schedule.TABLE if one.name == "document-sweep")


@pytest.fixture(autouse=True)
def _own_store(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """An empty store: other tests of the run leave files behind."""
    monkeypatch.setitem(app.extensions, "document_store", storage.Store(f"file://{tmp_path}/documents"))


def keys() -> set[str]:
    return set(storage.documents().keys_from_before(now() + timedelta(minutes=1)))


def orphan() -> str:
    key = f"2026/01/{uuid4().hex}.png"
    storage.documents().put(key, picture())
    return key


def run_now() -> JobRun:
    with transaction():
        run_id = runs.start(SWEEP, params={}, requested_by=None)
    work()
    db.session.expire_all()
    return db.session.get_one(JobRun, run_id)


def test_files_without_a_row_go_after_two_days(people: People) -> None:
    people.professional()
    kept = db.session.execute(select(Document.store_key)).scalar_one()
    orphans = {orphan(), f"2026/01/.{uuid4().hex}.pdf.{uuid4().hex}.part"}
    for key in orphans:
        storage.documents().put(key, b"x")
    assert document_orphans.drop_orphans().dropped == 0
    assert document_orphans.drop_orphans(now() + timedelta(hours=47)).dropped == 0
    assert document_orphans.drop_orphans(now() + LATER) == (3, 2, 2)
    assert keys() == {kept}


def test_files_that_we_did_not_name_are_never_touched() -> None:
    strangers = {
        "secret_key", "postgres/PG_VERSION", "17-0b1c.csv", "2026/01/report.pdf", f"2026/{uuid4().hex}.pdf",
        f"2026/01/{uuid4().hex}.csv", f"exports/2026/01/{uuid4().hex}.pdf", f"2026/01/{uuid4().hex}.pdf.bak",
    }  # fmt: skip
    for key in strangers:
        storage.documents().put(key, b"x")
    assert document_orphans.drop_orphans(now() + LATER) == (0, 0, 0)
    assert keys() == strangers


def test_the_keys_of_documents_are_those_that_the_sweep_knows(people: People) -> None:
    people.professional()
    assert all(re.fullmatch(actions.KEY, key) for key in db.session.execute(select(Document.store_key)).scalars())


def test_more_orphans_than_can_be_right_are_left_and_the_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_orphans, "now", lambda: now() + LATER)
    orphans = {orphan() for _ in range(document_orphans.FLOOR + 1)}
    run = run_now()
    assert keys() == orphans
    assert run.status == "failed"
    assert f"{len(orphans)} of {len(orphans)} old files" in str(run.error)
    storage.documents().drop(orphans.pop())
    assert run_now().status == "done"
    assert keys() == set()


def test_a_share_of_all_files_may_go(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_orphans, "FLOOR", 0)
    monkeypatch.setattr(document_orphans, "MOST_SHARE", 0.5)
    people.professional()
    first = orphan()
    assert document_orphans.drop_orphans(now() + LATER) == (2, 1, 1)
    assert first not in keys()
    orphan()
    orphan()
    assert document_orphans.drop_orphans(now() + LATER).was_stopped


def test_a_replaced_document_goes_too_when_its_drop_did_not_come_through(people: People) -> None:
    ravi = people.professional()
    assert ravi.put("/me/document", **form(picture("JPEG"))).status_code == 200
    old, new = db.session.execute(select(Document.store_key).order_by(Document.id)).scalars()
    document_orphans.drop_orphans(now() + timedelta(hours=47))
    assert {old, new} <= keys()
    with transaction():
        db.session.execute(text("UPDATE documents SET replaced_at = replaced_at - interval '3 days'"))
    document_orphans.drop_orphans(now() + LATER)
    assert keys() & {old, new} == {new}


def test_the_file_of_a_replaced_document_is_dropped_by_a_job_two_days_later(people: People) -> None:
    ravi = people.professional()
    ravi.put("/me/document", **form(picture("JPEG")))
    old, new = db.session.execute(select(Document.store_key).order_by(Document.id)).scalars()
    job = db.session.execute(select(Job).where(Job.topic == actions.DROP_TOPIC.name)).scalar_one()
    assert job.payload == {"store_key": old}
    assert timedelta(days=2) - timedelta(minutes=1) < job.run_at - now() <= timedelta(days=2)
    work()
    assert {old, new} <= keys()
    with transaction():
        db.session.execute(
            text("UPDATE jobs SET run_at = now() WHERE topic = :topic"), {"topic": actions.DROP_TOPIC.name}
        )
    work()
    assert keys() & {old, new} == {new}


def test_it_runs_as_a_job_of_the_timetable(people: People) -> None:
    people.professional()
    run = run_now()
    assert (run.status, run.failed) == ("done", 0)
