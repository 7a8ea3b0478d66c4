"""`make dev`: web server and Vite respond, source changes restart programs, and Ctrl-C stops everything."""

import os
import re
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.launch import dev, processes
from backend.launch.supervisor import Program, Supervisor
from backend.settings import ROOT, Settings
from tests.launch.product import Product, still_running

pytestmark = pytest.mark.launch


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "dev", module="backend.launch.dev")
    yield product
    product.destroy()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        text: str = response.read().decode()
        return text


def test_dev_serves_pages_and_api_and_stops_completely(product: Product) -> None:
    product.prepare()
    product.launch()
    reloading = processes.wait_until(lambda: "Reloading:" in product.output or product.ended(), seconds=180)
    assert reloading, product.diagnostics()
    assert not product.ended(), product.diagnostics()
    found = re.search(r"at (http://127\.0\.0\.1:\d+)/app/", product.output)
    assert found is not None
    pages = found[1]
    assert "/@vite/client" in read(f"{pages}/app/"), "Vite serves the source"
    assert "createDoorstep" in read(f"{pages}/app/src/app/main.ts")
    assert read(f"{pages}/openapi.json") == read(product.url("/openapi.json")), "Vite passes calls on"
    assert '"timezone"' in read(f"{pages}/app/market.json")
    assert '"start_url"' in read(f"{pages}/app/manifest.webmanifest")
    everything = product.everything()
    assert {"web", "worker", "beat", "events", "vite"} <= {log.stem for log in product.data.glob("logs/*.log")}
    assert product.stop(by=signal.SIGINT) == 0
    assert not still_running(everything)


def test_dev_reload_restarts_programs_once_per_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "backend" / "module.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    monkeypatch.setattr(dev, "SOURCE", source.parent)
    messages: list[str] = []
    supervisor = Supervisor(say=messages.append)
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    programs = [Program(name, argv, dict(os.environ), tmp_path / f"{name}.log", patience=5) for name in ("web", "vite")]
    for program in programs:
        supervisor.add(program)
    before = [program.process for program in programs]
    development = dev.Development(settings=Settings(), supervisor=supervisor, seen=dict(dev.source_files()))
    try:
        development.reload_when_changed()
        assert [program.process for program in programs] == before, "nothing changed yet"
        os.utime(source, ns=(1, 1))
        development.reload_when_changed()
        assert programs[0].process is not before[0]
        assert programs[1].process is before[1], "Vite follows its own files"
        web = programs[0].process
        development.reload_when_changed()
        assert programs[0].process is web
        source.unlink()
        development.reload_when_changed()
        assert programs[0].process is not web
    finally:
        supervisor.stop()
    assert messages == []


def test_dev_watches_all_source_files_and_templates() -> None:
    watched = {Path(name).relative_to(ROOT).as_posix() for name, _ in dev.source_files()}
    assert {"backend/app.py", "backend/launch/dev.py"} <= watched
    assert any(name.startswith("backend/templates/") for name in watched)
