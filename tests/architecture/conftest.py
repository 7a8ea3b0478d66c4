"""What several tests of the code's rules share."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.launch.embedded import EmbeddedPostgres
from backend.settings import Settings
from tests.conftest import FAST
from tests.factories.clusters import start_copy


@pytest.fixture
def fresh(settings: Settings, postgres_url: str) -> Iterator[Flask]:
    """Return the application on a new, empty database."""
    name = "migrated"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield from _entered(settings, postgres_url.rsplit("/", 1)[0] + f"/{name}")


@pytest.fixture
def migrated(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """Return the application on a database of its own that has all migrations and places."""
    server = EmbeddedPostgres(tmp_path, parameters=FAST)
    start_copy(server)
    yield from _entered(settings, server.url)
    server.destroy()


def _entered(settings: Settings, database_url: str) -> Iterator[Flask]:
    app = create_app(replace(settings, database_url=database_url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
