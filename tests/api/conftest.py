"""Applications with production settings."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings

MakeApp = Callable[..., Flask]
PRODUCTION = {
    "ENV": "production",
    "PUBLIC_URL": "http://127.0.0.1:5000",
    "INSECURE": "yes",
    "ADMIN_EMAIL": "admin@market.example",
    "MAIL_TO_FILES": "yes",
}


@pytest.fixture(scope="module")
def make(shared_app: Flask, environ: dict[str, str]) -> Iterator[MakeApp]:
    """Return a factory of applications with production settings (TESTING off, so errors are handled as there)."""
    made: list[Flask] = []

    def production(**changes: str) -> Flask:
        made.append(create_app(Settings.from_env({**environ, **PRODUCTION, **changes})))
        return made[-1]

    yield production
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def production_app(make: MakeApp) -> Flask:
    app = make()
    assert not app.testing
    return app


@pytest.fixture
def production(app: Flask, production_app: Flask) -> FlaskClient:
    return production_app.test_client()
