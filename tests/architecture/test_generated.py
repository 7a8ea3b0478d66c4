"""Generated files are committed, and stale ones fail."""

import json
import re
import tomllib

from flask import Flask

from backend.api.openapi import document
from backend.cli.openapi import COMMITTED
from backend.settings import VERSION
from tests.architecture.source import ROOT


def test_the_committed_contract_is_the_served_one(shared_app: Flask) -> None:
    assert COMMITTED.read_bytes() == document.render(shared_app), "openapi.json is stale; run: make generate"


def test_one_version_everywhere() -> None:
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


def test_the_image_holds_the_version() -> None:
    assert re.search(r"^COPY .*\bpyproject\.toml\b", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "!pyproject.toml" in (ROOT / ".dockerignore").read_text().splitlines()
