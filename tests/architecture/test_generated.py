"""Generated files are committed and up to date."""

import json
import re
import tomllib

import pytest
from flask import Flask

from backend.api.openapi import document
from backend.cli import reference
from backend.cli.openapi import COMMITTED
from backend.jobs import schedule
from backend.settings import VERSION, describe
from benchmarks import capacity
from tests.architecture.source import ROOT


def test_openapi_json_matches_served_document(shared_app: Flask) -> None:
    assert COMMITTED.read_bytes() == document.render(shared_app), "openapi.json is stale; run: make generate"


def test_version_is_the_same_in_every_file() -> None:
    """The version in pyproject.toml is the source; `make generate` writes it into the others."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    latest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert latest is not None
    assert {
        "API": VERSION,
        "openapi.json": json.loads(COMMITTED.read_text())["info"]["version"],
        "package.json": json.loads((ROOT / "frontend" / "package.json").read_text())["version"],
        "package-lock.json": lock["version"],
        "package-lock.json, package": lock["packages"][""]["version"],
        "CHANGELOG.md": latest[1],
    } == dict.fromkeys(
        ("API", "openapi.json", "package.json", "package-lock.json", "package-lock.json, package", "CHANGELOG.md"),
        version,
    )


def test_image_contains_the_file_with_the_version() -> None:
    assert re.search(r"^COPY .*\bpyproject\.toml\b", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "!pyproject.toml" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_reference_page_is_up_to_date(name: str) -> None:
    page = ROOT / "docs" / "reference" / f"{name}.md"
    assert page.read_text(encoding="utf-8") == reference.render(name), f"{name}.md is outdated; run: make generate"


def test_page_of_scaling_has_the_measured_figures() -> None:
    text = capacity.PAGE.read_text(encoding="utf-8")
    assert text == capacity.filled(text), "scaling.md is outdated; run: make generate"
    assert set(capacity.MIX) == {
        work.removeprefix("CPU of a call: ") for work in capacity.measured() if "CPU of" in work
    }
    assert sum(capacity.MIX.values()) + capacity.WRITES == pytest.approx(1)


def test_capacity_grows_with_people_and_keeps_a_spare_machine() -> None:
    model = capacity.Model(capacity.measured())
    town, city, large = (model.need(market) for market in capacity.MARKETS)
    assert town.calls_a_second * 100 == pytest.approx(large.calls_a_second)
    assert town.gb_a_year * 10 == pytest.approx(city.gb_a_year)
    for need in (town, city, large):
        assert (need.web_machines - 1) * need.market.web_cores >= need.web_cores
        assert need.database_cores <= need.market.database_cores
    with pytest.raises(LookupError, match="run make bench"):
        capacity.Model({})


def test_reference_lists_every_setting_job_and_metric() -> None:
    settings = reference.render("settings")
    assert all(f"| `{row.name}` |" in settings for row in describe())
    jobs = reference.render("jobs")
    assert all(f"| `{entry.name}` |" in jobs for entry in schedule.TABLE)
    metrics = reference.render("metrics")
    for name in ("http_requests_total", "http_request_seconds", "jobs_waiting", "part_up", "security_events_total"):
        assert f"| `{name}` |" in metrics
    assert "| `http_requests_total` | counter | `method`, `route`, `status` |" in metrics
