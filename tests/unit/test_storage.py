"""File stores: a folder, memory, and S3."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from backend.core import storage
from backend.core.storage import FileMissing, Store, StoreFailed

KEYS = {"key": "testing", "secret": "testing"}


@pytest.fixture(scope="module")
def s3() -> Iterator[Store]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    options = {**KEYS, "client_kwargs": {"endpoint_url": address, "region_name": "eu-west-1"}}
    fsspec.filesystem("s3", **options).mkdir("papers")
    yield Store("s3://papers/documents", options)
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        found: Store = request.getfixturevalue("s3")
        return found
    return Store(f"file://{tmp_path}/a folder" if request.param == "folder" else "memory://papers")


def test_store_put_file_is_readable_until_dropped(store: Store) -> None:
    store.put("2026/11/one.pdf", b"x" * 100_000)
    assert store.get("2026/11/one.pdf") == b"x" * 100_000
    assert store.size("2026/11/one.pdf") == 100_000
    with store.reading("2026/11/one.pdf") as file:
        file.seek(99_990)
        assert file.read() == b"x" * 10
    store.drop("2026/11/one.pdf")
    store.drop("2026/11/one.pdf")
    with pytest.raises(FileMissing):
        store.get("2026/11/one.pdf")


def test_store_write_that_fails_leaves_no_file(store: Store) -> None:
    def fail_halfway() -> None:
        with store.writing("half.csv") as file:
            file.write(b"only the beginning")
            raise RuntimeError("the worker died")

    with pytest.raises(RuntimeError):
        fail_halfway()
    with pytest.raises(FileMissing):
        store.get("half.csv")


def test_store_folder_shows_only_complete_files(tmp_path: Path) -> None:
    store = Store(f"file://{tmp_path}")
    with store.writing("a/b.bin") as file:
        file.write(b"1")
        assert not (tmp_path / "a/b.bin").exists()
    assert [one.name for one in (tmp_path / "a").iterdir()] == ["b.bin"]
    assert (tmp_path / "a/b.bin").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../b"])
def test_store_key_outside_of_store_is_rejected(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        Store(f"file://{tmp_path}").put(key, b"")


def test_store_on_full_disk_reports_it() -> None:
    with (
        pytest.raises(StoreFailed, match="storage is full"),
        storage._faults("write", "x"),
        Path("/dev/full").open("wb", 0) as full,
    ):
        full.write(b"x")


def test_store_on_unreachable_s3_fails() -> None:
    away = Store(
        "s3://papers", {**KEYS, "client_kwargs": {"endpoint_url": "http://127.0.0.1:9", "region_name": "eu-west-1"}}
    )
    with pytest.raises(StoreFailed):
        away.put("x", b"x")


def test_keys_from_before_list_old_and_unfinished_files(store: Store) -> None:
    for key in ("2026/10/one.pdf", "2026/11/two.pdf", "2026/11/.two.pdf.x.part"):
        store.put(key, b"x")
    listed = set(store.keys_from_before(datetime.now(UTC) + timedelta(minutes=1)))
    assert {"2026/10/one.pdf", "2026/11/two.pdf", "2026/11/.two.pdf.x.part"} <= listed
    assert [store.get(key) for key in listed]
    assert list(store.keys_from_before(datetime.now(UTC) - timedelta(days=1))) == []


def test_keys_from_before_on_empty_store_list_nothing(tmp_path: Path) -> None:
    assert list(Store(f"file://{tmp_path}/none").keys_from_before(datetime.now(UTC))) == []


def test_store_folder_not_mounted_fails_instead_of_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed):
        Store(f"file://{tmp_path}/not mounted").get("2026/11/one.pdf")
