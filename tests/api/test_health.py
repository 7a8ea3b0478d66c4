"""Alive, ready, and figures."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core import queue
from backend.core.database import db, transaction
from backend.jobs import heartbeat
from backend.settings import Settings

NO_DATABASE = "postgresql://nobody:x@127.0.0.1:9/none"
NO_REDIS = "redis://127.0.0.1:9/0"
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
    heartbeat.beat()
    answer = ask(app, "/readyz")
    assert answer.status_code == 200, answer.json
    assert answer.json["status"] == "ready"
    for part in ("database", "cache", "broker", "workers"):
        assert answer.json[part]["state"] == "up"
        assert 0 <= answer.json[part]["age"] < 5
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_worker_that_never_came_is_starting_at_first(make: Make) -> None:
    answer = ask(make(), "/readyz")
    assert answer.status_code == 503
    assert answer.json["workers"] == {"state": "starting", "age": None}


def test_a_worker_that_fell_silent_is_named(make: Make) -> None:
    heartbeat.beat()
    with transaction():
        db.session.execute(text("UPDATE heartbeats SET at = now() - interval '2 minutes'"))
    answer = ask(make(), "/readyz")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert (answer.json["code"], answer.json["database"]["state"]) == ("not_ready", "up")
    assert answer.json["workers"]["age"] >= 120
    assert "workers" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_worker_too_busy_for_its_heartbeat_shows_its_life_by_what_it_ends(make: Make) -> None:
    with transaction():
        queue.enqueue("anything", {})
        db.session.execute(text("UPDATE jobs SET done_at = now()"))
    assert ask(make(), "/readyz").json["workers"]["state"] == "up"


@pytest.mark.parametrize(
    ("part", "setting", "url"),
    [("database", "DATABASE_URL", NO_DATABASE), ("cache", "CACHE_URL", NO_REDIS), ("broker", "BROKER_URL", NO_REDIS)],
)
def test_a_part_that_is_away_is_named(make: Make, part: str, setting: str, url: str) -> None:
    heartbeat.beat()
    answer = ask(make(**{setting: url}), "/readyz")
    assert answer.status_code == 503
    assert answer.json[part] == {"state": "down", "age": None}


class TestFigures:
    def test_calls_are_counted_by_route(self, app: Flask) -> None:
        ask(app, "/tasks/1")
        figures = ask(app, "/metrics").get_data(as_text=True)
        assert 'http_requests_total{method="GET",route="/tasks/<id:task_id>",status="404"}' in figures
        assert 'http_request_seconds_bucket{le="0.1",method="GET",route="/tasks/<id:task_id>"}' in figures

    def test_the_job_table_is_in_them(self, app: Flask) -> None:
        with transaction():
            queue.enqueue("anything", {})
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
