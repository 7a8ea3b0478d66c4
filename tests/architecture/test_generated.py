"""Generated files are committed, and stale ones fail."""

import tomllib

from flask import Flask

from backend.api.openapi import document
from backend.cli.openapi import COMMITTED
from tests.architecture.source import ROOT


def test_the_committed_contract_is_the_served_one(shared_app: Flask) -> None:
    assert COMMITTED.read_bytes() == document.render(shared_app), "openapi.json is stale; run: make generate"


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == document.VERSION
