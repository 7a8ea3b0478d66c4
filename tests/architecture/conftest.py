"""What several tests of the code's rules share."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings


@pytest.fixture
def fresh(settings: Settings, postgres_url: str) -> Iterator[Flask]:
    """Return the application on a new, empty database."""
    name = "migrated"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    app = create_app(replace(settings, database_url=postgres_url.rsplit("/", 1)[0] + f"/{name}"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
