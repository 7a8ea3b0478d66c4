"""The access log: one JSON line for each call, with the route instead of the path."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response

from backend.api.access_log import AccessLog
from backend.app import create_app
from backend.core.db.session import db
from backend.core.observability import logging
from backend.settings import VERSION, Settings
from tests.factories.users import Users

Lines = Callable[[], list[dict[str, Any]]]
FIELDS = {"method", "route", "status", "ms", "bytes", "account_id", "request_id", "service", "host", "version"}


@pytest.fixture
def logged(app: Flask, environ: dict[str, str]) -> Iterator[Flask]:
    """Return an application with the access log."""
    made = create_app(Settings.from_env({**environ, "ACCESS_LOG": "on"}))
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that returns the lines of the access log since its last call."""

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
        return [line for line in found if line["logger"] == "access"]

    return read


def test_access_log_has_a_line_for_each_call_without_its_path(logged: Flask, users: Users, lines: Lines) -> None:
    customer = users.customer()
    client = logged.test_client()
    headers = {"Authorization": f"Bearer {customer.token}", "X-Request-Id": "of-this-test"}
    lines()
    answer = client.get("/requests/123456?secret=word", headers=headers)
    (line,) = lines()
    assert line.keys() >= FIELDS
    assert (line["method"], line["route"], line["status"]) == ("GET", "/requests/<id:request_id>", 422)
    assert (line["account_id"], line["request_id"]) == (customer.id, "of-this-test")
    assert line["bytes"] == len(answer.data) > 0
    assert (line["event"], line["version"], line["ms"] > 0) == ("call.served", VERSION, True)
    assert "123456" not in json.dumps(line)
    assert "word" not in json.dumps(line)


def test_access_log_includes_repeated_and_rejected_calls(logged: Flask, lines: Lines) -> None:
    client = logged.test_client()
    first = client.get("/tasks")
    lines()
    repeated = client.get("/tasks", headers={"X-Request-Id": "the-second-call"})
    known = client.get("/tasks", headers={"If-None-Match": first.headers["ETag"]})
    head = client.head("/healthz")
    elsewhere = client.get("/tasks", headers={"Host": "elsewhere.example"})
    nowhere = client.get("/no/such/page")
    found = lines()
    assert [(line["route"], line["status"], line["bytes"]) for line in found] == [
        ("/tasks", 200, len(first.data)),
        ("/tasks", 304, 0),
        ("/healthz", 200, 0),
        ("/tasks", 421, len(elsewhere.data)),
        ("none", 404, len(nowhere.data)),
    ]
    assert (repeated.status_code, known.status_code, head.status_code) == (200, 304, 200)
    assert found[0]["request_id"] == "the-second-call"
    assert {line["account_id"] for line in found} == {None}


def test_access_log_is_off_by_default(app: Flask, lines: Lines) -> None:
    assert not Settings().access_log
    app.test_client().get("/healthz")
    assert lines() == []


def test_access_log_of_stream_is_written_at_its_end() -> None:
    written: list[dict[str, Any]] = []
    stream = Response((part for part in (b"one", b"three")), mimetype="text/plain")
    served = AccessLog(stream, lambda line: written.append(json.loads(line)))
    body = served({"REQUEST_METHOD": "GET"}, lambda *_: lambda _: None)
    chunks = iter(body)
    next(chunks)
    assert written == []
    assert list(chunks) == [b"three"]
    assert [(line["status"], line["bytes"]) for line in written] == [(200, 8)]
    body.close()  # type: ignore[attr-defined]  # of a response that is no list
    assert len(written) == 1


def test_json_lines_name_service_host_and_version(
    capfd: pytest.CaptureFixture[str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import logging as standard

    import structlog

    root = standard.getLogger()
    before, level, name = root.handlers[:], root.level, logging.process_fields()["service"]
    try:
        logging.name_process("worker")
        logging.configure(Settings.from_env({**environ, "LOG_FORMAT": "json", "LOG_LEVEL": "info"}))
        standard.getLogger("celery").warning("of a library")
        structlog.get_logger("own").warning("job.failed", job_id=7)
        found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    finally:
        logging.name_process(name.removeprefix("doorstep-"))
        logging.configure(Settings.from_env(environ))
        root.handlers[:] = before
        root.setLevel(level)
    assert [line["event"] for line in found] == ["of a library", "job.failed"]
    for line in found:
        assert (line["service"], line["version"]) == ("doorstep-worker", VERSION)
        assert line["host"]
