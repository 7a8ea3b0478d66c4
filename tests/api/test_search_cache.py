"""The response cache over HTTP, with a separate Valkey server that is killed and frozen."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import time_machine
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core import cache
from backend.core.cache import CATALOGUE, Rendered, versions
from backend.core.cache.valkey import PREFIX, ResponseSerializer
from backend.core.cache.versions import Versions
from backend.core.db.session import db, transaction
from backend.launch.embedded import EmbeddedValkey
from backend.settings import Settings
from tests.conftest import empty_the_market
from tests.factories.tasks import make_task
from tests.factories.users import Users
from tests.harness.market import wait_for
from tests.waiting import HANG_SECONDS


class OwnValkey:
    """A Valkey server that a test may kill or freeze."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedValkey(folder)
        self.url = self.server.start()
        self.client = redis.Redis.from_url(self.url, socket_timeout=HANG_SECONDS)
        self.pid = int(self.client.info()["process_id"])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(self.pid)] if psutil.pid_exists(self.pid) else [], timeout=HANG_SECONDS)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    valkey = OwnValkey(tmp_path / "valkey")
    yield valkey
    valkey.client.close()
    if psutil.pid_exists(valkey.pid):
        valkey.thaw()
    valkey.server.stop()


@pytest.fixture
def cached_app(shared_app: Flask, environ: dict[str, str], valkey: OwnValkey) -> Iterator[Flask]:
    """Return an application with that Valkey server and one task."""
    app = create_app(Settings.from_env({**environ, "REDIS_URL": valkey.url}))
    with app.app_context():
        empty_the_market()
        make_task(name="Plumbing")
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(cached_app: Flask) -> Any:
    return cached_app.test_client()


def change_catalogue() -> None:
    with transaction():
        versions.change(CATALOGUE)


def outcomes(app: Flask, name: str = "search") -> dict[str, float]:
    """Return the number of cache lookups by outcome from /metrics."""
    lines = app.test_client().get("/metrics").get_data(as_text=True).splitlines()
    found = [line for line in lines if line.startswith("cache_lookups_total{") and f'name="{name}"' in line]
    return {line.split('outcome="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1]) for line in found}


def test_cached_search_response_equals_first_byte_for_byte(cached_app: Flask, client: Any) -> None:
    first, second = client.get("/search?q=plumer"), client.get("/search?q=plumer")
    assert first.data == second.data
    assert first.headers["ETag"] == second.headers["ETag"]
    ours = {"X-Request-Id", "Date"}
    assert {k: v for k, v in first.headers if k not in ours} == {k: v for k, v in second.headers if k not in ours}
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    given = client.get("/search?q=plumer", headers={"X-Request-Id": "from-the-caller"})
    assert given.headers["X-Request-Id"] == "from-the-caller"


def test_cached_response_with_matching_etag_returns_304(client: Any) -> None:
    for path in ("/search?q=plumer", "/tasks", "/places?q=5600&limit=3"):
        tag = client.get(path).headers["ETag"]
        for given in (tag, f'"x", {tag}', f"W/{tag}"):
            answer = client.get(path, headers={"If-None-Match": given})
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag), path
            assert "Content-Length" not in answer.headers or answer.headers["Content-Length"] == "0"
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_cached_responses_keep_public_and_private_apart(cached_app: Flask, client: Any) -> None:
    users = Users(cached_app)
    asha, admin = users.customer(), users.admin()
    draft = make_task(name="Draft", isactive=0)
    for path in ("/search", "/tasks"):
        for _ in range(2):
            assert client.get(path).headers["Cache-Control"].startswith("public, max-age=")
            assert asha.get(path).headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in client.get(path).headers["Vary"]
    assert draft.id in [task["id"] for task in admin.get("/tasks").json["items"]]
    for _ in range(2):
        assert draft.id not in [task["id"] for task in client.get("/tasks").json["items"]]
    assert client.get("/search?limit=0").headers["Cache-Control"] == "no-store"


def test_cached_pages_keep_their_link_header(client: Any) -> None:
    make_task(name="Painting")
    for _ in range(2):
        assert 'rel="next"' in client.get("/search?limit=1").headers["Link"]
        assert 'rel="next"' in client.get("/tasks?limit=1").headers["Link"]


@pytest.mark.usefixtures("cached_app")
def test_repeated_lookup_reads_version_while_valkey_responds(
    valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, seen = Versions.read, []

    def gets() -> int:
        stats: dict[str, Any] = valkey.client.info("commandstats").get("cmdstat_get", {})
        return int(stats.get("calls", 0))

    ask = partial(cache.response_cache().get, "test", "key", versioned=CATALOGUE)

    def fail() -> Rendered:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ask(fail)  # so that the process does not have it
    assert gets() == 0, "Valkey is not asked for what this process was not asked for before"

    def read_later(versions: Versions, name: str) -> str | None:
        seen.append(wait_for(lambda: gets() > 0))
        return read(versions, name)

    monkeypatch.setattr(Versions, "read", read_later)
    ask(lambda: Rendered(b"{}"))
    assert len(seen) == 1


def test_cached_search_still_rejects_blocked_account(cached_app: Flask, client: Any) -> None:
    users = Users(cached_app)
    asha, admin = users.customer(), users.admin()
    assert client.get("/search").status_code == asha.get("/search").status_code == 200
    admin.post(f"/users/{asha.id}/block", {"reason": "fraud"})
    assert client.get("/search").status_code == 200
    assert asha.get("/search").json["code"] == "account_blocked"


def test_cached_responses_are_shared_between_processes_and_see_changes(
    cached_app: Flask, client: Any, environ: dict[str, str], valkey: OwnValkey
) -> None:
    other_app = create_app(Settings.from_env({**environ, "REDIS_URL": valkey.url}))
    other: Any = other_app.test_client()
    for asking in (client, other):
        asking.get("/search?q=plumbing")  # a process computes what it was not asked for before
    change_catalogue()
    first = client.get("/search?q=plumbing")
    before = outcomes(cached_app)
    with redis.Redis.from_url(cached_app.extensions["settings"].cache_url) as shared:
        wait_for(lambda: shared.keys(f"{PREFIX}search:*"))
    assert other.get("/search?q=plumbing").data == first.data
    assert outcomes(cached_app).get("miss") == before.get("miss")
    admin = Users(cached_app).admin()
    task_id = first.json["items"][0]["id"]
    for price in ("1.00", "2.00", "3.00"):
        admin.patch(f"/tasks/{task_id}", {"base_price": price})
        assert other.get("/search?q=plumbing").json["items"][0]["base_price"] == price
        assert client.get("/search?q=plumbing").json["items"][0]["base_price"] == price
    with other_app.app_context():
        db.engine.dispose()


def test_search_with_killed_valkey_returns_current_results(client: Any, valkey: OwnValkey) -> None:
    assert client.get("/search").status_code == 200
    valkey.kill()
    admin = Users(client.application).admin()
    for n in range(5):
        made = admin.post("/tasks", {**vars_of_task(), "name": f"Task {n}"})
        assert made.status_code == 201
        assert len(client.get("/search").json["items"]) == n + 2


def test_search_with_frozen_valkey_waits_once_per_retry_interval(
    client: Any, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(100):
        client.get(f"/search?limit={n + 1}")
    change_catalogue()
    valkey.freeze()
    for n in range(100):
        assert client.get(f"/search?limit={n + 1}").status_code == 200
    waits = sum("cache.unavailable" in record.getMessage() for record in caplog.records)
    assert 1 <= waits <= 25, "one at first and one after each retry interval"
    valkey.thaw()


def test_search_with_emptied_or_corrupt_cache_returns_same_body(client: Any) -> None:
    settings = client.application.extensions["settings"]
    fresh = create_app(settings)
    assert fresh.test_client().get("/search").data == client.get("/search").data
    change_catalogue()
    body = client.get("/search").data
    with redis.Redis.from_url(settings.cache_url) as valkey:
        for key in wait_for(lambda: valkey.keys(f"{PREFIX}search:*")):  # it is written after the response
            valkey.set(key, b"nonsense")
        assert fresh.test_client().get("/search").data == body
        valkey.flushall()
    assert client.get("/search").data == body
    with fresh.app_context():
        db.engine.dispose()


def test_cached_response_with_malformed_data_is_ignored() -> None:
    for data in (None, b"", b"x", b"1 2\n", b"x abc version\nbody", b"1.0 abc version\nbody", b"\xff\xfe\n"):
        assert ResponseSerializer().loads(data) is None


def test_cached_computation_requested_concurrently_runs_once(cached_app: Flask) -> None:
    calls: list[int] = []

    def slow() -> Rendered:
        calls.append(1)
        time.sleep(0.3)
        return Rendered(b"{}")

    def ask(_: int) -> bytes:
        with cached_app.app_context():
            return cache.response_cache().get("test", "slow", slow, versioned=CATALOGUE).body

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {b"{}"}
    assert len(calls) == 1


def test_cached_computation_in_another_process_is_awaited(
    cached_app: Flask, environ: dict[str, str], valkey: OwnValkey
) -> None:
    given = {**environ, "REDIS_URL": valkey.url, "CACHE_TIMEOUT_MS": "10000"}
    apps = [create_app(Settings.from_env(given)) for _ in range(2)]
    calls: list[int] = []

    def slow() -> Rendered:
        calls.append(1)
        time.sleep(0.3)
        return Rendered(b"{}")

    def ask(app: Flask) -> bytes:
        with app.app_context():
            return cache.response_cache().get("test", "two", slow, versioned=CATALOGUE, expensive=True).body

    for app in apps:  # a busy machine may take longer to connect than a lookup waits
        version = partial(app.extensions["response_cache"].version, CATALOGUE)
        wait_for(version)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, apps * 4)) == {b"{}"}
    assert len(calls) == 1


def test_stale_response_is_served_while_one_caller_recomputes(cached_app: Flask) -> None:
    numbers = iter(range(100))
    started, may_end = threading.Event(), threading.Event()

    def count() -> Rendered:
        started.set()
        assert may_end.wait(HANG_SECONDS)
        return Rendered(str(next(numbers)).encode())

    ask = partial(cache.response_cache().get, "test", "old", count, seconds=100)
    with time_machine.travel(datetime.now(UTC)) as clock, ThreadPoolExecutor(1) as pool:
        may_end.set()
        assert ask().body == b"0"
        clock.shift(130)
        started.clear()
        may_end.clear()
        renewing = pool.submit(ask)
        assert started.wait(HANG_SECONDS)
        assert ask().body == b"0"
        may_end.set()
        assert renewing.result().body == b"1"
        assert ask().body == b"1"


def test_failed_computation_is_neither_cached_nor_blocks_next(cached_app: Flask) -> None:
    def fail() -> Rendered:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.response_cache().get("test", "fails", fail, versioned=CATALOGUE)
    assert cache.response_cache().get("test", "fails", lambda: Rendered(b"1"), versioned=CATALOGUE).body == b"1"


def test_cache_version_changes_at_commit_but_not_after_rollback(cached_app: Flask) -> None:
    before = cache.response_cache().version(CATALOGUE)
    assert before
    db.session.execute(text("UPDATE tasks SET base_price = 7"))
    db.session.rollback()
    assert cache.response_cache().version(CATALOGUE) == before
    with transaction():
        db.session.execute(text("UPDATE tasks SET base_price = 7"))
        assert cache.response_cache().version(CATALOGUE) == before
    assert cache.response_cache().version(CATALOGUE) != before


def test_search_after_terminated_connections_reconnects(cached_app: Flask, client: Any) -> None:
    client.get("/search")
    with transaction():
        db.session.execute(
            text("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE pid <> pg_backend_pid() AND datname = current_database()
            """)
        )
    for _ in range(3):
        assert client.get("/search").status_code == 200
    assert cache.response_cache().version(CATALOGUE)


def vars_of_task() -> dict[str, Any]:
    return {"description": "-", "category": "Repairs", "base_price": "1", "time_required": 60}
