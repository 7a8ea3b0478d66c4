"""Who may read /metrics, and the port on which processes without calls serve it."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.datastructures import Headers

from backend.core.observability import metrics_server
from backend.core.observability.metrics_access import MetricsAccess
from backend.launch.private_files import free_port
from backend.settings import ROOT, VERSION, Settings, SettingsError
from tests.launch.product import clean_environment
from tests.waiting import wait_until

SERVING = """
import sys, time
from backend.core.observability import logging, metrics, metrics_server, process_metrics
from backend.settings import Settings
settings = Settings.from_env()
logging.configure(settings)
metrics.begin(settings)
process_metrics.start(sys.argv[1])
metrics_server.start(settings)
print("started", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ("", "127.0.0.1", True),
        ("", "127.9.9.9", True),
        ("", "::1", True),
        ("", "::ffff:127.0.0.1", True),
        ("", "10.0.0.1", False),
        ("", "nonsense", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("fd00::/8", "fd00::7", True),
    ],
)
def test_metrics_access_follows_networks(networks: str, address: str, *, allowed: bool) -> None:
    access = MetricsAccess(Settings.from_env({"METRICS_FROM": networks}))
    assert access.allows(address, Headers()) is allowed
    assert not access.allows(address, Headers({"x-forwarded-for": "127.0.0.1"})), "forwarded calls are always refused"


@pytest.mark.parametrize(
    ("networks", "listens_on"),
    [("", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1,10.0.0.0/8", "0.0.0.0"), ("fd00::/8", "::")],
)
def test_metrics_access_listens_on_loopback_unless_others_are_allowed(networks: str, listens_on: str) -> None:
    assert MetricsAccess(Settings.from_env({"METRICS_FROM": networks})).listen_on == listens_on


def test_metrics_access_with_deprecated_setting_allows_everyone_but_proxies() -> None:
    access = MetricsAccess(Settings.from_env({"METRICS_OPEN": "on"}))
    assert access.allows("203.0.113.7", Headers())
    assert not access.allows("203.0.113.7", Headers({"Forwarded": "for=127.0.0.1"}))


def test_metrics_from_that_is_no_network_is_rejected() -> None:
    with pytest.raises(SettingsError, match="METRICS_FROM"):
        Settings.from_env({"METRICS_FROM": "prometheus.example"})


def scrape(port: int, path: str = "/metrics") -> tuple[int, str]:
    """Return status and body, or 0 and nothing while nobody listens."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""


class Serving:
    """A process that serves metrics."""

    def __init__(self, data: Path, kind: str, port: int) -> None:
        own = {"ENV": "test", "SECRET_KEY": "only-for-tests-" * 4, "DATA_DIR": str(data), "METRICS_PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVING, kind], env=clean_environment(**own), cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"started\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[Serving, Serving, int]]:
    """Return two processes of one machine with the same METRICS_PORT, and the port. The first one listens."""
    port = free_port(None)
    first = Serving(tmp_path, "worker", port)
    try:
        assert wait_until(lambda: scrape(port)[0] == 200)
        second = Serving(tmp_path, "beat", port)
        try:
            yield first, second, port
        finally:
            second.kill()
    finally:
        first.kill()


def test_metrics_port_serves_for_all_processes_and_passes_to_the_next(processes: tuple[Serving, Serving, int]) -> None:
    first, _, port = processes
    assert wait_until(lambda: 'kind="beat"' in scrape(port)[1])
    figures = {
        (sample.name, sample.labels.get("kind")): sample.value
        for family in text_string_to_metric_families(scrape(port)[1])
        for sample in family.samples
    }
    for kind in ("worker", "beat"):
        assert figures["process_cpu_seconds_total", kind] > 0
        assert figures["process_resident_memory_bytes", kind] > 1 << 20
    assert figures["build_info", None] == 1
    assert f'version="{VERSION}"' in scrape(port)[1]
    assert scrape(port, "/")[0] == 404
    used = figures["process_cpu_seconds_total", "worker"]
    first.kill()
    assert wait_until(lambda: scrape(port)[0] == 200), "the other process listens now"
    text = scrape(port)[1]
    assert 'process_resident_memory_bytes{kind="worker"}' not in text, "it uses no memory any more"
    (cpu,) = [line for line in text.splitlines() if line.startswith('process_cpu_seconds_total{kind="worker"}')]
    assert float(cpu.rpartition(" ")[2]) >= used, "what it counted is kept"


def test_metrics_port_is_not_held_by_forked_processes() -> None:
    port = free_port(None)
    server = metrics_server._bind("127.0.0.1", port)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"x" if server.socket.fileno() == -1 else b"held")
        os._exit(0)
    try:
        assert os.read(ready, 4) == b"x"
    finally:
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)
        server.server_close()


def test_metrics_port_of_zero_serves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "_serve", None)  # starting it would fail
    metrics_server.start(replace(Settings(), metrics_port=0))
