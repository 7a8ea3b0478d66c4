"""The daily sweep: bytes that no document needs go, all others stay."""

from datetime import timedelta

from sqlalchemy import select, text

from backend.core import storage
from backend.core.clock import now
from backend.core.database import db, transaction
from backend.core.queue import JobRun, runs
from backend.domain.documents import sweeping
from backend.domain.documents.models import Document
from backend.jobs import schedule
from tests.factories.files import form, picture
from tests.factories.jobs import work
from tests.factories.people import People

TOMORROW = timedelta(days=1, minutes=1)


def keys() -> set[str]:
    return set(storage.documents().keys_from_before(now() + timedelta(minutes=1)))


def test_bytes_without_a_row_go_after_a_day(people: People) -> None:
    people.professional()
    kept = db.session.execute(select(Document.store_key)).scalar_one()
    storage.documents().put("2026/01/of-a-call-that-failed.png", picture())
    storage.documents().put("2026/01/.half.png.1.part", b"x")
    assert sweeping.drop_orphans() == 0
    assert sweeping.drop_orphans(now() + TOMORROW) >= 2
    assert kept in keys()
    assert not {key for key in keys() if key.startswith("2026/01/")}
    assert sweeping.drop_orphans(now() + TOMORROW) == 0


def test_a_replaced_document_goes_too_when_its_drop_did_not_come_through(people: People) -> None:
    ravi = people.professional()
    ravi.put("/me/document", **form(picture("JPEG")))
    old, new = db.session.execute(select(Document.store_key).order_by(Document.id)).scalars()
    sweeping.drop_orphans(now() + timedelta(hours=23))
    assert {old, new} <= keys()
    with transaction():
        db.session.execute(text("UPDATE documents SET replaced_at = replaced_at - interval '2 days'"))
    sweeping.drop_orphans(now() + TOMORROW)
    assert keys() & {old, new} == {new}


def test_it_runs_as_a_job_of_the_timetable(people: People) -> None:
    row = next(one for one in schedule.TABLE if one.name == "document-sweep")
    with transaction():
        run_id = runs.start(row, params={}, requested_by=None)
    work()
    run = db.session.get(JobRun, run_id)
    assert run is not None
    assert (run.status, run.failed) == ("done", 0)
