"""`flask openapi`: print the OpenAPI document, which is committed as openapi.json."""

import sys
from pathlib import Path
from typing import Final

import click
from flask import current_app
from flask.cli import with_appcontext

from backend.api.openapi import document

COMMITTED: Final = Path(__file__).resolve().parents[2] / "openapi.json"


@click.command("openapi")
@click.option("--check", is_flag=True, help="Print nothing; fail if the committed document is outdated.")
@with_appcontext
def command(*, check: bool) -> None:
    """Print the OpenAPI document, generated from the URL table."""
    fresh = document.render(current_app)
    if not check:
        sys.stdout.write(fresh.decode())
    elif not COMMITTED.is_file() or COMMITTED.read_bytes() != fresh:
        raise click.ClickException("openapi.json is outdated. Run: make openapi")
