"""Runs migrations with Flask-Migrate. Servers and workers never import this: Alembic would stay in their memory."""

from typing import Final

import flask_migrate
from flask import Flask, current_app

from backend.core.db.session import db
from backend.migrations import FOLDER

_migrate: Final = flask_migrate.Migrate()


def init_app(app: Flask) -> None:
    """Register this folder and all models with the application, for `flask db` and the functions below."""
    _migrate.init_app(app, db, directory=str(FOLDER), compare_type=True)


def upgrade(revision: str = "head") -> None:
    """Migrate the current application's database up to the revision."""
    init_app(current_app)
    flask_migrate.upgrade(revision=revision)


def downgrade(revision: str = "-1") -> None:
    """Migrate the current application's database down to the revision."""
    init_app(current_app)
    flask_migrate.downgrade(revision=revision)


def check() -> None:
    """Compare the database with the models.

    Raises:
        SystemExit: they differ.
    """
    init_app(current_app)
    flask_migrate.check()
