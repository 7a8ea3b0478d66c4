"""Spans by real web, job and live update processes, to a collector that works, hangs or is unavailable."""

import http.client
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests
from flask import Flask

from backend.launch.private_files import free_port
from tests.factories.collector import Collector
from tests.factories.servers import SmtpServer
from tests.factories.users import Users
from tests.faults.processes import JobProcesses
from tests.faults.web import Web, running, web_server
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER: Final = "00f067aa0ba902b7"
FORGOT: Final = "POST /password/forgot"
SECRET: Final = "a-secret-of-a-link-and-long-enough"
CALLS: Final = 40


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


def variables(url: str, **more: str) -> dict[str, str]:
    """Return OpenTelemetry's variables for a collector; spans are sent soon."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100", **more}


def forgot(web: Web, email: str, traceparent: str | None = f"00-{TRACE}-{CALLER}-01") -> requests.Response:
    headers = {"traceparent": traceparent} if traceparent else {}
    return requests.post(f"{web.url}/password/forgot", json={"email": email}, headers=headers, timeout=HANG_SECONDS)


@pytest.fixture
def traced(own_environ: dict[str, str], jobs: JobProcesses, collector: Collector, tmp_path: Path) -> Iterator[Web]:
    """Start web server, worker and beat that send their spans to the collector."""
    given = variables(collector.url)
    jobs.start("worker", **given)
    jobs.start("beat", **given)
    with web_server({**own_environ, **given}, tmp_path) as web:
        yield web


def test_call_its_statements_job_and_mail_are_one_trace_without_personal_data(
    users: Users, traced: Web, smtp: SmtpServer, collector: Collector
) -> None:
    customer = users.customer()
    profile = customer.get("/me").json
    assert forgot(traced, profile["email"]).status_code == 202
    mail = collector.wait_for(TRACE, "send mail")
    call = collector.wait_for(TRACE, FORGOT)
    assert wait_until(lambda: collector.above(mail)[-1:] == [call]), collector.of(TRACE)
    assert call.parent == CALLER
    assert call.attributes["http.route"] == "/password/forgot"
    assert [span.service for span in collector.above(mail)] == ["doorstep-worker"] * 2 + ["doorstep-web"]
    statements = [one for one in collector.of(TRACE) if one.attributes.get("db.system.name") == "postgresql"]
    assert {one.service for one in statements} == {"doorstep-web", "doorstep-worker"}
    assert any(one.name == "INSERT jobs" and one.parent == call.id for one in statements)
    assert any(one.name == "SELECT accounts" and one.parent == collector.above(mail)[1].id for one in statements)

    address = f"{traced.url}/visits/{SECRET}"
    trace = "0" * 31 + "1"
    sent = {**customer.headers, "traceparent": f"00-{trace}-{CALLER}-01", "User-Agent": "agent-of-a-user"}
    assert requests.get(address, headers=sent, timeout=HANG_SECONDS).status_code == 404
    assert requests.get(f"{traced.url}/search?q={SECRET}", headers=sent, timeout=HANG_SECONDS).status_code == 200
    assert requests.get(f"{traced.url}/me", headers=sent, timeout=HANG_SECONDS).status_code == 200
    shown = collector.wait_for(trace, "GET /visits/<string:token>")
    collector.wait_for(trace, "GET /search")
    own = collector.wait_for(trace, "GET /me")
    assert any(one.parent == own.id and one.name.startswith("SELECT") for one in collector.of(trace))
    assert (shown.attributes["http.response.status_code"], shown.has_failed) == (404, False)
    for personal in (
        SECRET,
        profile["email"],
        profile["username"],
        profile["address"],
        str(customer.token),
        "agent-of",
    ):
        assert personal.encode() not in collector.content
    assert b"127.0.0.1" not in b"".join(
        str(span.attributes).encode() for span in collector.spans if span.attributes.get("http.request.method")
    )
    assert len(smtp.to(profile["email"])) == 1


def test_stream_and_the_check_of_its_token_are_in_the_trace_of_the_caller(
    app: Flask, own_environ: dict[str, str], collector: Collector, tmp_path: Path
) -> None:
    port = free_port(None)
    given = {**own_environ, **variables(collector.url)}
    with web_server(given, tmp_path) as web:
        events = {"EVENTS_PORT": str(port), "WEB_URL": web.url, "DATA_DIR": str(tmp_path / "events")}
        with running(tmp_path / "events.log", {**os.environ, **given, **events}, "-m", "backend.events"):

            def is_refused() -> bool:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_SECONDS)
                try:
                    connection.request("GET", "/events", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
                    return connection.getresponse().status == 401
                except OSError:
                    return False
                finally:
                    connection.close()

            assert wait_until(is_refused)
            check = collector.wait_for(TRACE, "GET /events/access")
            assert wait_until(lambda: len(collector.above(check)) == 1)
    (stream,) = collector.above(check)
    assert (stream.service, stream.name, stream.parent) == ("doorstep-events", "GET /events", CALLER)
    assert (stream.attributes["http.response.status_code"], stream.has_failed) == (401, False)


def test_sampler_of_the_operator_decides_which_traces_are_recorded(
    app: Flask, own_environ: dict[str, str], collector: Collector, tmp_path: Path
) -> None:
    sampled = variables(collector.url, OTEL_TRACES_SAMPLER="parentbased_always_off", OTEL_SERVICE_NAME="market")
    with web_server({**own_environ, **sampled}, tmp_path) as web:
        for traceparent in (None, f"00-{'a' * 32}-{CALLER}-00", f"00-{TRACE}-{CALLER}-01"):
            assert forgot(web, "nobody@example.com", traceparent).status_code == 202
        collector.wait_for(TRACE, FORGOT)
    assert {(span.service, span.trace) for span in collector.spans} == {("market", TRACE)}


@pytest.mark.parametrize("is_down", [False, True])
def test_collector_that_hangs_or_is_unavailable_delays_neither_calls_nor_shutdown(
    app: Flask, own_environ: dict[str, str], collector: Collector, tmp_path: Path, is_down: bool
) -> None:
    collector.answers.clear()
    url = f"http://127.0.0.1:{free_port(None)}" if is_down else collector.url
    small = {"WEB_WORKERS": "1", "OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
    given = variables(url, OTEL_EXPORTER_OTLP_TIMEOUT=str(HANG_SECONDS * 1000), **small)
    with web_server({**own_environ, **given}, tmp_path) as web:
        for _ in range(CALLS):
            assert forgot(web, "nobody@example.com").status_code == 202
        assert is_down or collector.held == 1, "the first batch is all that the collector was sent"
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(timeout=HANG_SECONDS) == 0
    assert collector.spans == []


def test_product_without_the_packages_says_so_and_works(
    app: Flask, own_environ: dict[str, str], collector: Collector, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden" / "opentelemetry" / "__init__.py"
    hidden.parent.mkdir(parents=True)
    hidden.write_text("raise ModuleNotFoundError\n")
    given = {**variables(collector.url), "PYTHONPATH": str(hidden.parents[1])}
    with web_server({**own_environ, **given}, tmp_path) as web:
        assert forgot(web, "nobody@example.com").status_code == 202
    assert "Run make telemetry" in (tmp_path / "web.log").read_text()
    assert collector.held == 0
