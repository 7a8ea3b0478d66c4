"""The daily sweep of files that no document refers to."""

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
from backend.domain.documents.models import Document, ProfilePhoto
from backend.domain.photos.models import RequestPhoto
from backend.jobs import schedule
from tests.factories.files import form, picture
from tests.factories.jobs import work
from tests.factories.photos import add_photo, upload_photo
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

LATER = timedelta(days=2, minutes=1)
SWEEP = next(one for one in schedule.TABLE if one.name == "document-sweep")


@pytest.fixture(autouse=True)
def _own_store(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Use an empty store, as other tests leave files behind."""
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


def test_drop_orphans_deletes_files_without_row_after_two_days(users: Users) -> None:
    users.professional()
    kept = db.session.execute(select(Document.store_key)).scalar_one()
    orphans = {orphan(), f"2026/01/.{uuid4().hex}.pdf.{uuid4().hex}.part"}
    for key in orphans:
        storage.documents().put(key, b"x")
    assert document_orphans.drop_orphans().dropped == 0
    assert document_orphans.drop_orphans(now() + timedelta(hours=47)).dropped == 0
    assert document_orphans.drop_orphans(now() + LATER) == (3, 2, 2)
    assert keys() == {kept}


def test_drop_orphans_keeps_files_with_foreign_names() -> None:
    foreign = {
        "secret_key", "postgres/PG_VERSION", "17-0b1c.csv", "2026/01/report.pdf", f"2026/{uuid4().hex}.pdf",
        f"2026/01/{uuid4().hex}.csv", f"exports/2026/01/{uuid4().hex}.pdf", f"2026/01/{uuid4().hex}.pdf.bak",
    }  # fmt: skip
    for key in foreign:
        storage.documents().put(key, b"x")
    assert document_orphans.drop_orphans(now() + LATER) == (0, 0, 0)
    assert keys() == foreign


def test_drop_orphans_keeps_photos_of_requests_until_they_are_removed(users: Users) -> None:
    market = RequestMarket(users)
    customer = users.customer()
    kept, removed = (add_photo(customer, market.ask(customer)["id"], "problem")["id"] for _ in range(2))
    assert customer.delete(f"/photos/{removed}").status_code == 204
    lost = {
        f"request-photos/2026/01/{uuid4().hex}.webp",
        f"request-photos/2026/01/.{uuid4().hex}.webp.{uuid4().hex}.part",
    }
    for key in lost:
        storage.documents().put(key, b"x")
    named = {photo_id: _keys_of(photo_id) for photo_id in (kept, removed)}
    assert keys() >= named[kept] | named[removed] | lost
    assert document_orphans.drop_orphans(now() + timedelta(hours=47)).dropped == 0
    with transaction():
        db.session.execute(text("UPDATE request_photos SET removed_at = removed_at - interval '1 minute'"))
    assert document_orphans.drop_orphans(now() + LATER).dropped == 4
    assert keys() & (named[kept] | named[removed] | lost) == named[kept]


def _keys_of(photo_id: int) -> set[str]:
    row = db.session.get_one(RequestPhoto, photo_id)
    return {row.store_key, row.thumb_store_key}


def test_document_keys_match_pattern_of_drop_orphans(users: Users) -> None:
    users.professional()
    assert all(re.fullmatch(actions.KEY, key) for key in db.session.execute(select(Document.store_key)).scalars())


def test_document_sweep_with_too_many_orphans_fails_and_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_orphans, "now", lambda: now() + LATER)
    orphans = {orphan() for _ in range(document_orphans.FLOOR + 1)}
    run = run_now()
    assert keys() == orphans
    assert run.status == "failed"
    assert f"{len(orphans)} of {len(orphans)} old files" in str(run.error)
    storage.documents().drop(orphans.pop())
    assert run_now().status == "done"
    assert keys() == set()


def test_drop_orphans_stops_above_share_of_all_files(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_orphans, "FLOOR", 0)
    monkeypatch.setattr(document_orphans, "MOST_SHARE", 0.5)
    users.professional()
    first = orphan()
    assert document_orphans.drop_orphans(now() + LATER) == (2, 1, 1)
    assert first not in keys()
    orphan()
    orphan()
    assert document_orphans.drop_orphans(now() + LATER).was_stopped


def test_drop_orphans_deletes_replaced_document_after_two_days(users: Users) -> None:
    ravi = users.professional()
    assert ravi.put("/me/document", **form(picture("JPEG"))).status_code == 200
    old, new = db.session.execute(select(Document.store_key).order_by(Document.id)).scalars()
    document_orphans.drop_orphans(now() + timedelta(hours=47))
    assert {old, new} <= keys()
    with transaction():
        db.session.execute(text("UPDATE documents SET replaced_at = replaced_at - interval '3 days'"))
    document_orphans.drop_orphans(now() + LATER)
    assert keys() & {old, new} == {new}


def test_drop_orphans_keeps_current_photos_and_deletes_replaced_ones(users: Users) -> None:
    ravi = users.professional(approved=False)
    upload_photo(ravi, 300)
    upload_photo(ravi, 320)
    columns = (ProfilePhoto.store_key, ProfilePhoto.small_store_key)
    old, new = (set(row) for row in db.session.execute(select(*columns).order_by(ProfilePhoto.id)))
    unfinished = f"photos/2026/01/.{uuid4().hex}.jpg.{uuid4().hex}.part"
    storage.documents().put(unfinished, b"x")
    assert all(re.fullmatch(actions.KEY, key) for key in old | new)
    assert document_orphans.drop_orphans(now() + timedelta(hours=47)).dropped == 0
    with transaction():
        db.session.execute(text("UPDATE profile_photos SET replaced_at = replaced_at - interval '3 days'"))
    assert document_orphans.drop_orphans(now() + LATER) == (5, 3, 3)
    assert keys() == new


def test_replaced_document_is_dropped_by_job_after_two_days(users: Users) -> None:
    ravi = users.professional()
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


def test_document_sweep_runs_as_scheduled_job(users: Users) -> None:
    users.professional()
    run = run_now()
    assert (run.status, run.failed) == ("done", 0)
