"""Large exports travel compressed to those who accept it; what arrives is the same file."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.domain.exports import actions, compression
from backend.domain.exports.models import Export
from tests.factories import closed_requests as made
from tests.factories.jobs import work
from tests.factories.people import People, Person

ROWS = 8000  # some 1.3 MB
PACKED = {"Accept-Encoding": "gzip"}


@pytest.fixture
def admin(app: Flask, people: People) -> Iterator[Person]:
    """On a market whose files are large from 1 MB on."""
    made.many(made.market(), ROWS)
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, export_gzip_above_mb=1)
    yield people.admin()
    app.extensions["settings"] = before


def export(admin: Person, *, packed: bool = True) -> dict[str, Any]:
    """An export with its packed copy."""
    where = admin.post("/exports", {}).headers["Location"]
    assert made.run_jobs(actions.TOPIC.name) == ["done"]
    assert made.run_jobs(compression.TOPIC.name) == (["done"] if packed else [])
    body: dict[str, Any] = admin.get(where).json
    return body


def files() -> list[str]:
    return sorted(path.name for path in (current_settings().data_dir / "exports").glob("*.gz"))


def test_who_accepts_gzip_gets_it_and_who_does_not_gets_the_plain_file(admin: Person) -> None:
    done = export(admin)
    plain = admin.get(done["download_url"])
    packed = admin.get(done["download_url"], headers=PACKED)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert {answer.headers["Content-Type"] for answer in (plain, packed)} == {"text/csv; charset=utf-8"}
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert len(packed.get_data()) == int(packed.headers["Content-Length"]) < len(plain.get_data()) / 4
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert hashlib.sha256(plain.get_data()).hexdigest() == done["sha256"]
    assert packed.headers["Content-Disposition"].endswith('.csv"')


@pytest.mark.parametrize("said", ["identity", "gzip;q=0", "br"])
def test_a_refusal_is_heard(admin: Person, said: str) -> None:
    done = export(admin)
    assert "Content-Encoding" not in admin.get(done["download_url"], headers={"Accept-Encoding": said}).headers


def test_parts_of_each_go_on_where_they_broke_off(admin: Person) -> None:
    url = export(admin)["download_url"]
    plain, packed = admin.get(url), admin.get(url, headers=PACKED)
    part = {**PACKED, "Range": "bytes=100-199"}
    of_plain = admin.get(url, headers=part)
    assert (of_plain.status_code, of_plain.get_data()) == (206, plain.get_data()[100:200])
    of_packed = admin.get(url, headers={**part, "If-Range": packed.headers["ETag"]})
    assert (of_packed.status_code, of_packed.headers["Content-Encoding"]) == (206, "gzip")
    assert of_packed.get_data() == packed.get_data()[100:200]
    assert of_packed.headers["Content-Range"].endswith(f"/{len(packed.get_data())}")
    known = {**PACKED, "If-None-Match": packed.headers["ETag"]}
    assert admin.get(url, headers=known).status_code == 304


def test_small_files_and_a_market_that_wants_none_stay_plain(admin: Person, app: Flask) -> None:
    for limit in (0, 10):
        app.extensions["settings"] = replace(app.extensions["settings"], export_gzip_above_mb=limit)
        done = export(admin, packed=False)
        assert "Content-Encoding" not in admin.get(done["download_url"], headers=PACKED).headers


def test_packed_twice_is_the_same_and_goes_with_its_export(admin: Person) -> None:
    before = files()
    done = export(admin)
    first = admin.get(done["download_url"], headers=PACKED).get_data()
    with transaction():
        compression.pack(done["id"])
    assert admin.get(done["download_url"], headers=PACKED).get_data() == first
    with transaction():
        db.session.execute(update(Export).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
        actions.drop_expired()
        compression.pack(done["id"])
    work()
    assert files() == before
    assert admin.get(done["download_url"], headers=PACKED).status_code == 410
