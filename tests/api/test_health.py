"""Alive, ready, and figures."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.observability.health import Health
from backend.jobs import health as worker_health
from backend.jobs import lease_heartbeat
from backend.launch import processes
from backend.launch import readiness as launch_health
from backend.launch.embedded import EmbeddedValkey
from backend.launch.private_files import free_port
from backend.migrations.setup import revisions
from backend.settings import ROOT, Settings
from tests.factories.jobs import enqueue_empty
from tests.waiting import HANG_SECONDS, wait_until

NO_DATABASE = "postgresql://nobody:x@127.0.0.1:9/none"
NO_REDIS = "redis://127.0.0.1:9/0"
PARTS = ("database", "migrations", "cache", "broker", "workers", "bodies")
Make = Callable[..., Flask]


@pytest.fixture
def make(app: Flask, environ: dict[str, str]) -> Iterator[Make]:
    """Makes applications that have just started, with settings of their own."""
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        made.append(create_app(Settings.from_env({**environ, **changes})))
        return made[-1]

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


def ask(app: Flask, path: str, **kwargs: Any) -> Any:
    return app.test_client().get(path, **kwargs)


def test_alive_needs_nothing(make: Make) -> None:
    answer = ask(make(DATABASE_URL=NO_DATABASE, REDIS_URL=NO_REDIS), "/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_ready_when_every_part_works(app: Flask) -> None:
    worker_health.beat()
    answer = ask(app, "/readyz")
    assert answer.status_code == 200, answer.json
    assert answer.json["status"] == "ready"
    for part in PARTS:
        assert answer.json[part]["state"] == "up"
        assert 0 <= answer.json[part]["age"] < 5
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_worker_that_never_came_is_starting_at_first(make: Make) -> None:
    answer = ask(make(), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["workers"] == {"state": "starting", "age": None}


def test_a_worker_that_fell_silent_is_named(make: Make) -> None:
    worker_health.beat()
    with transaction():
        db.session.execute(text("UPDATE heartbeats SET at = now() - interval '2 minutes'"))
    answer = ask(make(), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert (answer.json["database"]["state"], answer.json["workers"]["age"] >= 120) == ("up", True)
    assert "workers" in answer.json["detail"]


def test_a_job_shows_the_workers_life_when_it_ends_and_not_when_it_began(make: Make) -> None:
    with transaction():
        enqueue_empty("anything")
    job_id = db.session.execute(text("SELECT id FROM jobs")).scalar_one()
    db.session.rollback()
    with transaction():
        lease = queue.claim(job_id, lease_seconds=60)
    assert lease is not None
    with transaction():
        began = db.session.execute(text("SELECT now()")).scalar_one()
        db.session.execute(text("SELECT pg_sleep(0.2)"))
        queue.finish(lease)
    done_at = db.session.execute(text("SELECT done_at FROM jobs")).scalar_one()
    assert (done_at - began).total_seconds() >= 0.2
    assert ask(make(), "/readyz").json["workers"]["state"] == "up"


def test_a_long_job_shows_the_workers_life_while_it_runs(make: Make) -> None:
    app = make()
    with transaction():
        enqueue_empty("anything")
    job_id = db.session.execute(text("SELECT id FROM jobs")).scalar_one()
    db.session.rollback()
    with transaction():
        lease = queue.claim(job_id, lease_seconds=60)
    assert lease is not None
    own = lease_heartbeat.LeaseHeartbeat()
    own._start(db.engine, 2)
    with own.renewing([lease]):
        assert wait_until(lambda: ask(app, "/readyz").json["workers"]["state"] == "up")


@pytest.mark.parametrize(
    ("part", "setting", "url", "status"),
    [
        ("database", "DATABASE_URL", NO_DATABASE, "unavailable"),
        ("cache", "CACHE_URL", NO_REDIS, "degraded"),
        ("broker", "BROKER_URL", NO_REDIS, "degraded"),
    ],
)
def test_a_part_that_is_away_is_named(make: Make, part: str, setting: str, url: str, status: str) -> None:
    worker_health.beat()
    answer = ask(make(**{setting: url}), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200 if status == "degraded" else 503, status)
    assert answer.json[part] == {"state": "down", "age": None}
    assert part in answer.json["detail"]
    assert (int(answer.headers.get("Retry-After", 0)) >= 1) == (status == "unavailable")


def test_a_broker_that_answers_and_takes_nothing_is_down(make: Make, tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    try:
        made = make(BROKER_URL=server.url, CACHE_URL=server.url.removesuffix("/0") + "/1")
        with redis.Redis.from_url(server.url) as broker:
            assert ask(made, "/readyz").json["broker"]["state"] == "up"
            broker.set("doorstep", "no list")
            assert ask(made, "/readyz").json["broker"]["state"] == "down"
            broker.delete("doorstep")
            broker.config_set("maxmemory", "1")
            answer = ask(made, "/readyz").json
            assert broker.ping()
        assert (answer["broker"]["state"], answer["cache"]["state"]) == ("down", "down")
    finally:
        server.stop()


def test_a_missing_migration_makes_it_unavailable_and_a_newer_one_does_not(make: Make) -> None:
    worker_health.beat()
    revision = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    db.session.rollback()
    states = {}
    try:
        for other in (revisions()[-2], "9999"):
            with transaction():
                db.session.execute(text("UPDATE alembic_version SET version_num = :other"), {"other": other})
            answer = ask(make(), "/readyz")
            states[other] = (answer.status_code, answer.json["status"], answer.json["migrations"]["state"])
    finally:
        with transaction():
            db.session.execute(text("UPDATE alembic_version SET version_num = :old"), {"old": revision})
    assert states == {revisions()[-2]: (503, "unavailable", "down"), "9999": (200, "ready", "up")}


def test_a_part_can_be_added(make: Make) -> None:
    worker_health.beat()
    made = make()
    health: Health = made.extensions["health"]

    def fails() -> None:
        raise RuntimeError("not there")

    health.add("another", fails)
    assert health.status(health.parts()) == "degraded"
    health.add("another", fails, needed=True)
    assert health.status(health.parts()) == "unavailable"


def test_a_server_that_is_about_to_stop_says_so_and_goes_on_for_a_while(app: Flask, environ: dict[str, str]) -> None:
    worker_health.beat()
    assert any(says_so_and_goes_on(environ, drain_seconds) for drain_seconds in (3, 20, 120)), "the longer, the surer"


def says_so_and_goes_on(environ: dict[str, str], drain_seconds: int) -> bool:
    """Whether the server answers while it drains; a busy machine may need longer than a short drain to ask it."""
    port = free_port(None)
    url = f"http://127.0.0.1:{port}"
    settings = {**os.environ, **environ, "PORT": str(port), "WEB_WORKERS": "1", "DRAIN_SECONDS": str(drain_seconds)}
    server = processes.spawn([sys.executable, "-m", "backend.wsgi"], env=settings, cwd=ROOT)
    try:
        assert wait_until(lambda: launch_health.is_ready(f"{url}/readyz"))
        server.terminate()
        drains = wait_until(lambda: server.poll() is not None or status_of(url) == (503, "draining"))
        goes_on = launch_health.answers(f"{url}/tasks")
        assert server.wait(timeout=HANG_SECONDS) == 0
        return drains and goes_on
    finally:
        processes.end(server)


def status_of(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status, json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["status"]
    except OSError:  # it has ended
        return 0, ""


class TestFigures:
    def test_calls_are_counted_by_route(self, app: Flask) -> None:
        ask(app, "/tasks/1")
        figures = ask(app, "/metrics").get_data(as_text=True)
        assert 'http_requests_total{method="GET",route="/tasks/<id:task_id>",status="404"}' in figures
        assert 'http_request_seconds_bucket{le="0.1",method="GET",route="/tasks/<id:task_id>"}' in figures

    def test_what_is_away_is_in_them(self, make: Make) -> None:
        figures = ask(make(BROKER_URL=NO_REDIS), "/metrics").get_data(as_text=True)
        assert 'part_up{part="broker"} 0.0' in figures
        assert 'part_up{part="database"} 1.0' in figures

    def test_the_job_table_is_in_them(self, app: Flask) -> None:
        with transaction():
            enqueue_empty("anything")
        assert "jobs_waiting 1.0" in ask(app, "/metrics").get_data(as_text=True)

    def test_an_address_that_is_not_there_makes_no_series_of_its_own(self, app: Flask) -> None:
        ask(app, "/somewhere-else")
        app.test_client().open("/somewhere-else", method="BREW")
        figures = ask(app, "/metrics").get_data(as_text=True)
        assert "somewhere-else" not in figures
        assert 'method="other",route="none"' in figures

    @pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "::ffff:203.0.113.7", "nonsense"])
    def test_they_are_for_this_machine_only(self, app: Flask, address: str) -> None:
        answer = ask(app, "/metrics", environ_overrides={"REMOTE_ADDR": address})
        assert (answer.status_code, answer.json["code"]) == (403, "not_local")

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
    def test_what_came_through_a_proxy_is_not_of_this_machine(self, app: Flask, header: str) -> None:
        assert ask(app, "/metrics", headers={header: "127.0.0.1"}).status_code == 403

    def test_a_setting_opens_them(self, make: Make) -> None:
        answer = ask(make(METRICS_OPEN="on"), "/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.7"})
        assert answer.status_code == 200
