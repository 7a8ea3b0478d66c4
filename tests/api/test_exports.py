"""Exports over HTTP: creation, progress, download, expiry and cancellation."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend.core import storage
from backend.core.db.session import db, transaction
from backend.domain.exports import actions
from backend.domain.exports.models import Export
from tests.factories import closed_requests as made
from tests.factories.jobs import work
from tests.factories.users import User, Users

COLUMNS = (
    "request_id,task_id,task_name,customer_id,professional_id,date_of_request,accepted_at,completed_at,closed_at,"
    "remarks,closing_remarks,price,rating"
)


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


def export(admin: User, **filters: Any) -> dict[str, Any]:
    """Create an export, run its job and return it."""
    answer = admin.post("/exports", filters)
    assert answer.status_code == 202, answer.json
    made.run_jobs(actions.TOPIC.name)
    body: dict[str, Any] = admin.get(answer.headers["Location"]).json
    return body


def rows(admin: User, **filters: Any) -> list[dict[str, str]]:
    """Return the rows of the export's file."""
    text = admin.get(export(admin, **filters)["download_url"]).get_data().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_export_is_queued_then_done_then_downloaded(admin: User) -> None:
    market = made.market()
    closed = made.request(market, remarks="Bring a ladder", closing_remarks='He said "done", twice\nand left')
    made.review(closed, 4)
    made.request(market, status="completed")
    asked = admin.post("/exports", {})
    assert asked.status_code == 202
    assert int(asked.headers["Retry-After"]) >= 1
    assert (asked.json["status"], asked.json["progress"], asked.json["download_url"]) == ("queued", 0, None)
    assert asked.headers["Location"] == f"/exports/{asked.json['id']}"
    waiting = admin.get(f"/exports/{asked.json['id']}/download")
    assert (waiting.status_code, waiting.json["code"]) == (409, "export_not_ready")
    assert made.run_jobs(actions.TOPIC.name) == ["done"]
    done = admin.get(asked.headers["Location"]).json
    assert (done["status"], done["progress"], done["rows"]) == ("done", 100, 1)
    file = admin.get(done["download_url"])
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.get_data().decode().splitlines()[0] == COLUMNS
    assert hashlib.sha256(file.get_data()).hexdigest() == done["sha256"]
    [row] = csv.DictReader(io.StringIO(file.get_data().decode(), newline=""))
    assert (row["request_id"], row["price"], row["rating"]) == (str(closed.id), "499.00", "4")
    assert row["closing_remarks"] == 'He said "done", twice\nand left'
    assert row["closed_at"] == "2026-10-15T06:30:00+00:00"
    assert datetime.fromisoformat(row["accepted_at"]) == closed.accepted_at


def test_export_done_notifies_the_admin(admin: User) -> None:
    made.request(made.market())
    export(admin)
    (notification,) = admin.get("/notifications").json["items"]
    assert notification["kind"] == "export_done"
    assert notification["body"].startswith("The file has 1 row. ")


@pytest.mark.parametrize("start", list("=+-@|%＝＋－＠"))  # noqa: RUF001 - the full-width forms are meant
def test_export_cell_that_starts_with_formula_character_is_quoted(admin: User, start: str) -> None:
    market = made.market()
    typed = f"{start}cmd"
    made.request(market, remarks=typed, closing_remarks=typed, task_name=typed)
    [row] = rows(admin)
    assert {row["remarks"], row["closing_remarks"], row["task_name"]} == {f"'{typed}"}


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_export_cell_with_formula_after_control_character_is_quoted(admin: User, start: str) -> None:
    made.request(made.market(), remarks=f"{start}=cmd")
    [row] = rows(admin)
    assert row["remarks"] == f"'{start}'=cmd"


@pytest.mark.parametrize("end", [";", "; ", "\t", "\n", "\r\n", "\n\n", ";;"])
def test_export_cell_with_formula_after_separator_is_quoted(admin: User, end: str) -> None:
    """In locales whose list separator is the semicolon, a spreadsheet starts a new cell there."""
    made.request(made.market(), remarks=f"ok{end}=1+1{end}@x")
    [row] = rows(admin)
    assert row["remarks"] == f"ok{end}'=1+1{end}'@x"


def test_export_cell_with_formula_after_leading_separator_is_quoted(admin: User) -> None:
    made.request(made.market(), remarks=";=1+1", closing_remarks="said, ';=1+1", task_name='"x";\uff1d1')
    [row] = rows(admin)
    assert (row["remarks"], row["closing_remarks"]) == (";'=1+1", "said, ';'=1+1")
    assert row["task_name"] == '"x";\'\uff1d1'


def test_export_cell_without_formula_is_unchanged(admin: User) -> None:
    made.request(made.market(), remarks="a=b; c\n\nd, 2 + 2", closing_remarks="धन्यवाद, ठीक है")
    [row] = rows(admin)
    assert (row["remarks"], row["closing_remarks"]) == ("a=b; c\n\nd, 2 + 2", "धन्यवाद, ठीक है")
    assert row["rating"] == ""


def test_export_date_range_includes_both_days_in_marketplace_time_zone(admin: User) -> None:
    market = made.market()
    first = datetime(2026, 9, 30, 18, 30, tzinfo=UTC)  # midnight of 1 October in India
    inside = [made.request(market, at=first), made.request(market, at=first + timedelta(days=2, microseconds=-1))]
    made.request(market, at=first - timedelta(microseconds=1))
    made.request(market, at=first + timedelta(days=2))
    found = rows(admin, **{"from": "2026-10-01", "to": "2026-10-02"})
    assert [row["request_id"] for row in found] == [str(one.id) for one in inside]


def test_export_for_one_professional_holds_only_their_requests(admin: User) -> None:
    market = made.market()
    made.request(market)
    other = made.professional()
    theirs = made.request(made.Market(market.customer_id, other, market.task_id))
    assert [row["request_id"] for row in rows(admin, professional_id=other)] == [str(theirs.id)]


def test_export_without_closed_requests_holds_only_header(admin: User) -> None:
    done = export(admin)
    assert (done["status"], done["rows"], done["progress"]) == ("done", 0, 100)
    assert admin.get(done["download_url"]).get_data().decode() == COLUMNS + "\n"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"professional_id": 999}, "professional_id"),
        ({"from": "2026-13-01"}, "from"),
        ({"from": "2026-10-01T00:00:00"}, "from"),
        ({"from": "2026-10-02", "to": "2026-10-01"}, "to"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_export_with_invalid_fields_names_the_field(admin: User, body: dict[str, Any], field: str) -> None:
    answer = admin.post("/exports", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_export_repeated_with_same_idempotency_key_creates_one(admin: User) -> None:
    key = {"Idempotency-Key": "an-export-1"}
    first = admin.post("/exports", {}, headers=key)
    again = admin.post("/exports", {}, headers=key)
    assert (first.json, first.headers["Location"]) == (again.json, again.headers["Location"])
    assert len(admin.get("/exports").json["items"]) == 1
    assert admin.post("/exports", {"from": "2026-10-01"}, headers=key).status_code == 422


def test_export_download_with_range_returns_partial_content(admin: User) -> None:
    made.request(made.market())
    url = export(admin)["download_url"]
    whole = admin.get(url)
    part = admin.get(url, headers={"Range": "bytes=8-14", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.get_data()) == (206, whole.get_data()[8:15])
    assert part.headers["Content-Range"] == f"bytes 8-14/{len(whole.get_data())}"
    beyond = admin.get(url, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.get_data())}")
    assert admin.get(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_export_download_in_ranges_is_audited_once(admin: User) -> None:
    made.request(made.market())
    url = export(admin)["download_url"]
    for headers in ({"Range": "bytes=0-"}, {"Range": "bytes=5-9"}, {}):
        assert admin.get(url, headers=headers).status_code in (200, 206)
    entries = admin.get("/audit?action=export_downloaded").json["items"]
    assert [entry["actor_id"] for entry in entries] == [admin.id]


def test_export_after_expiry_returns_410_and_its_file_is_removed(admin: User) -> None:
    made.request(made.market())
    done = export(admin)
    with transaction():
        db.session.execute(update(Export).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    answer = admin.get(done["download_url"])
    assert (answer.status_code, answer.json["code"]) == (410, "export_expired")
    with transaction():
        assert actions.drop_expired() == 1
    with transaction():
        assert actions.drop_expired() == 0
    assert admin.get(done["download_url"]).status_code == 410
    assert admin.get(f"/exports/{done['id']}").json["download_url"] is None
    key = db.session.execute(select(Export.store_key)).scalar_one()
    db.session.rollback()
    assert storage.exports().size(str(key)) > 0  # a job removes it, once the export is known to have ended
    work()
    with pytest.raises(storage.FileMissing):
        storage.exports().size(str(key))


def test_export_cancelled_before_run_fails_and_has_no_file(admin: User) -> None:
    asked = admin.post("/exports", {}).json
    cancelled = admin.post(f"/exports/{asked['id']}/cancel")
    assert (cancelled.status_code, cancelled.json["status"]) == (200, "failed")
    made.run_jobs(actions.TOPIC.name)
    assert admin.get(f"/exports/{asked['id']}").json["status"] == "failed"
    assert admin.get(f"/exports/{asked['id']}/download").status_code == 409
    assert admin.post(f"/exports/{asked['id']}/cancel").status_code == 409


def test_exports_list_is_paginated_newest_first_and_filtered_by_status(admin: User) -> None:
    ids = [admin.post("/exports", {}).json["id"] for _ in range(3)]
    first = admin.get("/exports?limit=2").json
    second = admin.get(f"/exports?limit=2&cursor={first['next_cursor']}").json
    assert [row["id"] for row in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert admin.get("/exports?status=done").json["items"] == []


def test_exports_for_visitors_and_other_roles_are_rejected(client: FlaskClient, users: Users) -> None:
    for path in ("/exports", "/exports/1", "/exports/1/download"):
        assert client.get(path).status_code == 401
        assert users.customer().get(path).json["code"] == "role_not_allowed"
    assert users.admin().get("/exports/1").status_code == 404
