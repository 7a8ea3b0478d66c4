"""Liveness, readiness and metrics endpoints."""

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
from backend.domain.dashboard import table_metrics
from backend.jobs import health as worker_health
from backend.jobs import lease_heartbeat
from backend.launch import processes
from backend.launch import readiness as launch_health
from backend.launch.embedded import EmbeddedValkey
from backend.launch.private_files import free_port
from backend.migrations import revisions_too_old
from backend.settings import ROOT, Settings
from tests.factories.jobs import enqueue_empty
from tests.factories.users import Users
from tests.waiting import HANG_SECONDS, wait_until

NO_DATABASE = "postgresql://nobody:x@127.0.0.1:9/none"
NO_REDIS = "redis://127.0.0.1:9/0"
NO_EVENTS = "http://127.0.0.1:9"
PARTS = ("database", "migrations", "cache", "broker", "workers", "bodies")
Make = Callable[..., Flask]


@pytest.fixture
def make(app: Flask, environ: dict[str, str]) -> Iterator[Make]:
    """Return a factory of newly started applications with their own settings."""
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        made.append(create_app(Settings.from_env({**environ, **changes})))
        return made[-1]

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


def number(figures: str, sample: str) -> float:
    """Return the value of a sample."""
    (line,) = [line for line in figures.splitlines() if line.startswith(f"{sample} ")]
    return float(line.rpartition(" ")[2])


def ask(app: Flask, path: str, **kwargs: Any) -> Any:
    return app.test_client().get(path, **kwargs)


def test_healthz_without_database_and_redis_returns_alive(make: Make) -> None:
    answer = ask(make(DATABASE_URL=NO_DATABASE, REDIS_URL=NO_REDIS), "/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_readyz_with_every_part_up_returns_ready(app: Flask) -> None:
    worker_health.beat()
    answer = ask(app, "/readyz")
    assert answer.status_code == 200, answer.json
    assert answer.json["status"] == "ready"
    for part in PARTS:
        assert answer.json[part]["state"] == "up"
        assert 0 <= answer.json[part]["age"] < 5
    assert answer.headers["Cache-Control"] == "no-store"


def test_readyz_before_first_worker_heartbeat_reports_starting(make: Make) -> None:
    answer = ask(make(), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["workers"] == {"state": "starting", "age": None}


def test_readyz_with_outdated_worker_heartbeat_reports_degraded(make: Make) -> None:
    worker_health.beat()
    with transaction():
        db.session.execute(text("UPDATE heartbeats SET at = now() - interval '2 minutes'"))
    answer = ask(make(), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert (answer.json["database"]["state"], answer.json["workers"]["age"] >= 120) == ("up", True)
    assert "workers" in answer.json["detail"]


def test_worker_heartbeat_of_finished_job_has_time_of_its_end(make: Make) -> None:
    with transaction():
        enqueue_empty("anything")
    job_id = db.session.execute(text("SELECT id FROM jobs")).scalar_one()
    db.session.rollback()
    with transaction():
        lease = queue.claim(job_id, lease_seconds=60)
    assert lease is not None
    with transaction():
        started = db.session.execute(text("SELECT now()")).scalar_one()
        db.session.execute(text("SELECT pg_sleep(0.2)"))
        queue.finish(lease)
    done_at = db.session.execute(text("SELECT done_at FROM jobs")).scalar_one()
    assert (done_at - started).total_seconds() >= 0.2
    assert ask(make(), "/readyz").json["workers"]["state"] == "up"


def test_worker_heartbeat_is_renewed_during_long_job(make: Make) -> None:
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
        ("events", "EVENTS_URL", NO_EVENTS, "degraded"),
    ],
)
def test_readyz_with_unreachable_part_names_it(make: Make, part: str, setting: str, url: str, status: str) -> None:
    worker_health.beat()
    answer = ask(make(**{setting: url}), "/readyz")
    assert (answer.status_code, answer.json["status"]) == (200 if status == "degraded" else 503, status)
    assert answer.json[part] == {"state": "down", "age": None}
    assert part in answer.json["detail"]
    assert (int(answer.headers.get("Retry-After", 0)) >= 1) == (status == "unavailable")


def test_readyz_with_broker_that_rejects_writes_reports_it_down(make: Make, tmp_path: Path) -> None:
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


def test_readyz_with_missing_migration_is_unavailable_and_with_newer_one_ready(make: Make) -> None:
    worker_health.beat()
    revision = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    db.session.rollback()
    states = {}
    older = max(revisions_too_old())
    try:
        for other in (older, "9999"):
            with transaction():
                db.session.execute(text("UPDATE alembic_version SET version_num = :other"), {"other": other})
            answer = ask(make(), "/readyz")
            states[other] = (answer.status_code, answer.json["status"], answer.json["migrations"]["state"])
    finally:
        with transaction():
            db.session.execute(text("UPDATE alembic_version SET version_num = :old"), {"old": revision})
    assert states == {older: (503, "unavailable", "down"), "9999": (200, "ready", "up")}


def test_readyz_with_added_part_reports_its_failure(make: Make) -> None:
    worker_health.beat()
    made = make()
    health: Health = made.extensions["health"]

    def fails() -> None:
        raise RuntimeError("not there")

    health.add("another", fails)
    assert health.status(health.parts()) == "degraded"
    health.add("another", fails, needed=True)
    assert health.status(health.parts()) == "unavailable"


def test_readyz_during_shutdown_reports_draining_while_calls_are_served(app: Flask, environ: dict[str, str]) -> None:
    worker_health.beat()
    assert any(reports_draining_and_serves(environ, drain_seconds) for drain_seconds in (3, 20, 120)), (
        "a longer drain leaves more time to observe it"
    )


def reports_draining_and_serves(environ: dict[str, str], drain_seconds: int) -> bool:
    """Return whether the server serves while it drains; on a busy machine a short drain may end too early to see it."""
    port = free_port(None)
    url = f"http://127.0.0.1:{port}"
    settings = {**os.environ, **environ, "PORT": str(port), "WEB_WORKERS": "1", "DRAIN_SECONDS": str(drain_seconds)}
    server = processes.spawn([sys.executable, "-m", "backend.wsgi"], env=settings, cwd=ROOT)
    try:
        assert wait_until(lambda: launch_health.is_ready(f"{url}/readyz"))
        server.terminate()
        drains = wait_until(lambda: server.poll() is not None or status_of(url) == (503, "draining"))
        serves = launch_health.answers(f"{url}/tasks")
        assert server.wait(timeout=HANG_SECONDS) == 0
        return drains and serves
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


class TestMetrics:
    def test_metrics_count_calls_by_route(self, app: Flask) -> None:
        ask(app, "/tasks/1")
        metrics = ask(app, "/metrics").get_data(as_text=True)
        assert 'http_requests_total{method="GET",route="/tasks/<id:task_id>",status="404"}' in metrics
        assert 'http_request_seconds_bucket{le="0.1",method="GET",route="/tasks/<id:task_id>"}' in metrics

    def test_metrics_with_unreachable_broker_report_part_down(self, make: Make) -> None:
        metrics = ask(make(BROKER_URL=NO_REDIS), "/metrics").get_data(as_text=True)
        assert 'part_up{part="broker"} 0.0' in metrics
        assert 'part_up{part="database"} 1.0' in metrics

    def test_metrics_include_job_table_counts(self, app: Flask) -> None:
        with transaction():
            enqueue_empty("anything")
        assert "jobs_waiting 1.0" in ask(app, "/metrics").get_data(as_text=True)

    def test_metrics_for_unknown_paths_share_one_series(self, app: Flask) -> None:
        ask(app, "/somewhere-else")
        app.test_client().open("/somewhere-else", method="BREW")
        metrics = ask(app, "/metrics").get_data(as_text=True)
        assert "somewhere-else" not in metrics
        assert 'method="other",route="none"' in metrics

    @pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "::ffff:203.0.113.7", "nonsense"])
    def test_metrics_for_other_machines_are_rejected(self, app: Flask, address: str) -> None:
        answer = ask(app, "/metrics", environ_overrides={"REMOTE_ADDR": address})
        assert (answer.status_code, answer.json["code"]) == (403, "not_local")

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
    def test_metrics_through_proxy_are_rejected(self, app: Flask, header: str) -> None:
        assert ask(app, "/metrics", headers={header: "127.0.0.1"}).status_code == 403

    @pytest.mark.parametrize("setting", [{"METRICS_FROM": "203.0.113.0/24"}, {"METRICS_OPEN": "on"}])
    def test_metrics_are_served_to_allowed_networks_but_not_through_proxies(
        self, make: Make, setting: dict[str, str]
    ) -> None:
        sender = {"REMOTE_ADDR": "203.0.113.7"}
        app = make(**setting, TRUSTED_PROXIES="203.0.113.0/24")
        assert ask(app, "/metrics", environ_overrides=sender).status_code == 200
        proxied = ask(app, "/metrics", environ_overrides=sender, headers={"X-Forwarded-For": "203.0.113.8"})
        assert (proxied.status_code, proxied.json["code"]) == (403, "not_local")

    def test_metrics_show_waiting_messages_and_ages_of_kept_rows(self, make: Make, users: Users) -> None:
        customer = users.customer()
        with transaction():
            db.session.execute(text("DELETE FROM deliveries"))
            db.session.execute(
                text("""
                    INSERT INTO deliveries (account_id, kind, subject, channel, state, message_id, created_at)
                    VALUES (:id, 'request_closed', '1', 'mail', 'waiting', 'a', now() - interval '90 seconds'),
                           (:id, 'request_closed', '2', 'mail', 'sent', 'b', now() - interval '3 days'),
                           (:id, 'request_closed', '3', 'gchat', 'waiting', 'c', now())
                """),
                {"id": customer.id},
            )
        figures = ask(make(), "/metrics").get_data(as_text=True)
        assert 'deliveries_waiting{channel="mail"} 1.0' in figures
        assert 'deliveries_waiting{channel="gchat"} 1.0' in figures
        assert 90 <= number(figures, 'deliveries_oldest_seconds{channel="mail"}') < 90 + HANG_SECONDS
        assert number(figures, 'table_oldest_row_seconds{table="deliveries"}') >= 3 * 86400
        assert number(figures, 'table_kept_seconds{table="deliveries"}') == 400 * 86400

    def test_metrics_read_tables_once_in_ten_seconds(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        app, asked = make(), []

        def read(_: table_metrics.TableCache) -> list[table_metrics.Measured]:
            asked.append("read")
            return []

        monkeypatch.setattr(table_metrics.TableCache, "_read", read)
        with app.app_context():
            cache = table_metrics.TableCache()
            for _ in range(3):
                cache.rows()
            assert len(asked) == 1
            cache._read_at -= table_metrics.CACHE_SECONDS
            cache.rows()
            assert len(asked) == 2

    def test_metrics_without_database_have_all_but_its_values(self, make: Make) -> None:
        figures = ask(make(DATABASE_URL=NO_DATABASE), "/metrics").get_data(as_text=True)
        assert 'part_up{part="database"} 0.0' in figures
        assert "build_info" in figures
        assert "table_oldest_row_seconds" not in figures
