"""The trace of a call (W3C Trace Context): on its log lines, with its jobs, and with their jobs."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import select

from backend.api.access_log import AccessLog
from backend.core.db.session import db, transaction
from backend.core.observability import trace_context
from backend.core.queue import Job, Lease
from backend.events.access import AccessCheck
from backend.jobs import registry
from tests.factories.jobs import enqueue_empty, work
from tests.factories.users import Users

IDS = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = f"00-{IDS}"
TRACE_ID = IDS[:32]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (TRACE, TRACE),
        (f"01-{IDS}", TRACE),
        (f"cc-{IDS}-what-comes-later", TRACE),
        (f"00-{IDS}-more", None),
        (f"ff-{IDS}", None),
        (TRACE.upper(), None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE_ID}-{'0' * 16}-01", None),
        (f" {TRACE}", None),
        (f"{TRACE}\n", None),
        (f"cc-{IDS}-{'a' * 600}", None),
        ("", None),
        (None, None),
    ],
)
def test_traceparent_is_parsed_as_the_recommendation_says(header: str | None, expected: str | None) -> None:
    assert trace_context.parse(header) == expected


def kept() -> list[str | None]:
    """Return the traces of all jobs, oldest first."""
    db.session.rollback()
    return list(db.session.execute(select(Job.traceparent).order_by(Job.id)).scalars())


def test_trace_of_call_is_kept_with_its_jobs_and_ends_with_it(app: Flask, users: Users) -> None:
    email, client, path = users.customer().get("/me").json["email"], app.test_client(), "/password/forgot"
    with transaction():
        db.session.query(Job).delete()
    for headers in ({"traceparent": TRACE}, {}, {"traceparent": "nonsense"}):
        assert client.post(path, json={"email": email}, headers=headers).status_code == 202
    assert kept() == [TRACE, None, None]


def test_trace_of_job_is_on_its_log_lines_and_its_jobs(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def run(_: Lease) -> None:
        seen.append(dict(structlog.contextvars.get_contextvars()))
        if len(seen) == 1:
            enqueue_empty("traced", key="of-the-job")

    monkeypatch.setitem(registry.HANDLERS, "traced", registry.Registered(run))
    with transaction(), trace_context.resumed(TRACE):
        enqueue_empty("traced", key="of-the-call")
    work()
    with transaction():
        enqueue_empty("traced", key="of-another")
    work()
    assert [line.get("trace_id") for line in seen] == [TRACE_ID, TRACE_ID, None]
    assert kept() == [TRACE, TRACE, None]
    assert trace_context.current() is None


def test_access_log_names_the_trace() -> None:
    lines: list[dict[str, Any]] = []
    served = AccessLog(lambda *_: [b""], lambda line: lines.append(json.loads(line)))
    for headers in ({"HTTP_TRACEPARENT": TRACE}, {}):
        served({"REQUEST_METHOD": "GET", **headers}, lambda *_: lambda _: None)
    assert [line.get("trace_id") for line in lines] == [TRACE_ID, None]


def test_access_check_of_stream_passes_the_trace_on() -> None:
    received: list[str | None] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(self.headers.get("traceparent"))
            body = json.dumps({"account_id": 1, "role": "customer", "session_id": "a", "expires_at": 1}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Web)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        check = AccessCheck(f"http://127.0.0.1:{server.server_address[1]}")
        for trace in (TRACE, "nonsense", None):
            asyncio.run(check.of("Bearer a", client="127.0.0.1", trace=trace))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert received == [TRACE, None, None]
