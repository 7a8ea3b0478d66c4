"""Spans are recorded where OpenTelemetry's variables name a collector; elsewhere nothing of it is imported."""

import os
import subprocess
import sys

import pytest

from backend.core.observability import spans, tracing
from backend.settings import ROOT

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
# redis-py imports metrics of OpenTelemetry wherever it finds the packages, so they are hidden here.
LOADED = """
import sys, traceback

class Hidden:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "opentelemetry":
            asking = [line.filename for line in traceback.extract_stack() if "importlib" not in line.filename]
            assert "/redis/observability/" in asking[-2], asking
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
import backend.app, backend.events.application, backend.jobs.tasks, celery, kombu.transport.redis, redis.asyncio
from backend.core.observability import tracing
assert not tracing.start("web")
with tracing.call("GET", None) as span, tracing.statement(b"SELECT 1"), tracing.sending("mail"):
    span.responded(200)
print(*sys.modules)
"""


@pytest.mark.parametrize(
    "variables",
    [{}, {**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}],
)
def test_tracing_while_off_imports_nothing_of_opentelemetry(variables: dict[str, str]) -> None:
    env = {**{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}, **variables}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not [name for name in done.stdout.split() if name.startswith(("opentelemetry", "google.protobuf"))]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector.example/v1/traces"}, True),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "1"}, True),  # the specification knows "true" only
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "console,otlp"}, True),
    ],
)
def test_tracing_is_wanted_where_a_collector_is_named(variables: dict[str, str], expected: bool) -> None:
    assert tracing.is_wanted(variables) is expected


def test_tracing_by_unsupported_protocol_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracing.problem() == ""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", ENDPOINT["OTEL_EXPORTER_OTLP_ENDPOINT"])
    assert tracing.problem() == ""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert "only http/protobuf is supported" in tracing.problem()


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT id FROM accounts WHERE email = %(email)s", "SELECT accounts"),
        ("\n  INSERT INTO jobs (topic) SELECT :topic", "INSERT jobs"),
        ("UPDATE task_requests SET state = $1", "UPDATE task_requests"),
        ("WITH a AS (SELECT extract(epoch FROM now()) FROM leases) SELECT * FROM a", "WITH leases"),
        ("SELECT extract(epoch FROM now())", "SELECT"),
        ("COMMIT", "COMMIT"),
        ("", "SQL"),
    ],
)
def test_name_of_statement_is_its_verb_and_first_table(sql: str, name: str) -> None:
    assert spans.describe(sql).name == name
