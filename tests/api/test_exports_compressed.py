"""Large exports are compressed for clients that accept gzip."""

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
from tests.factories.users import User, Users

ROWS = 8000  # some 1.3 MB
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def admin(app: Flask, users: Users) -> Iterator[User]:
    """Return an admin of a marketplace that compresses exports from 1 MB on."""
    made.many(made.market(), ROWS)
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, export_gzip_above_mb=1)
    yield users.admin()
    app.extensions["settings"] = before


def export(admin: User, *, compressed: bool = True) -> dict[str, Any]:
    """Create an export, run its jobs and return it; `compressed` says whether a compressed copy is expected."""
    where = admin.post("/exports", {}).headers["Location"]
    assert made.run_jobs(actions.TOPIC.name) == ["done"]
    assert made.run_jobs(compression.TOPIC.name) == (["done"] if compressed else [])
    body: dict[str, Any] = admin.get(where).json
    return body


def files() -> list[str]:
    return sorted(path.name for path in (current_settings().data_dir / "exports").glob("*.gz"))


def test_export_download_with_accept_gzip_is_compressed_and_otherwise_plain(admin: User) -> None:
    done = export(admin)
    plain = admin.get(done["download_url"])
    compressed = admin.get(done["download_url"], headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert {answer.headers["Content-Type"] for answer in (plain, compressed)} == {"text/csv; charset=utf-8"}
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in compressed.headers["Vary"]
    assert plain.headers["ETag"] != compressed.headers["ETag"]
    assert len(compressed.get_data()) == int(compressed.headers["Content-Length"]) < len(plain.get_data()) / 4
    assert gzip.decompress(compressed.get_data()) == plain.get_data()
    assert hashlib.sha256(plain.get_data()).hexdigest() == done["sha256"]
    assert compressed.headers["Content-Disposition"].endswith('.csv"')


@pytest.mark.parametrize("accept_encoding", ["identity", "gzip;q=0", "br"])
def test_export_download_without_acceptable_gzip_is_plain(admin: User, accept_encoding: str) -> None:
    done = export(admin)
    assert (
        "Content-Encoding" not in admin.get(done["download_url"], headers={"Accept-Encoding": accept_encoding}).headers
    )


def test_export_download_ranges_continue_plain_and_compressed_files(admin: User) -> None:
    url = export(admin)["download_url"]
    plain, compressed = admin.get(url), admin.get(url, headers=GZIP)
    part = {**GZIP, "Range": "bytes=100-199"}
    of_plain = admin.get(url, headers=part)
    assert (of_plain.status_code, of_plain.get_data()) == (206, plain.get_data()[100:200])
    of_packed = admin.get(url, headers={**part, "If-Range": compressed.headers["ETag"]})
    assert (of_packed.status_code, of_packed.headers["Content-Encoding"]) == (206, "gzip")
    assert of_packed.get_data() == compressed.get_data()[100:200]
    assert of_packed.headers["Content-Range"].endswith(f"/{len(compressed.get_data())}")
    known = {**GZIP, "If-None-Match": compressed.headers["ETag"]}
    assert admin.get(url, headers=known).status_code == 304


def test_export_below_threshold_or_with_compression_off_is_plain(admin: User, app: Flask) -> None:
    for limit in (0, 10):
        app.extensions["settings"] = replace(app.extensions["settings"], export_gzip_above_mb=limit)
        done = export(admin, compressed=False)
        assert "Content-Encoding" not in admin.get(done["download_url"], headers=GZIP).headers


def test_export_compression_run_twice_is_idempotent_and_file_expires_with_export(admin: User) -> None:
    before = files()
    done = export(admin)
    first = admin.get(done["download_url"], headers=GZIP).get_data()
    with transaction():
        compression.pack(done["id"])
    assert admin.get(done["download_url"], headers=GZIP).get_data() == first
    with transaction():
        db.session.execute(update(Export).values(expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
        actions.drop_expired()
        compression.pack(done["id"])
    work()
    assert files() == before
    assert admin.get(done["download_url"], headers=GZIP).status_code == 410
