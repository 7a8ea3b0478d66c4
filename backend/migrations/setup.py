"""Registers Flask-Migrate with this folder and all models."""

from pathlib import Path
from typing import Final

from flask import Flask
from flask_migrate import Migrate

from backend.core.db.session import db

FOLDER: Final = Path(__file__).parent
migrate = Migrate()


def init_app(app: Flask) -> None:
    migrate.init_app(app, db, directory=str(FOLDER), compare_type=True)
    app.extensions["older_revisions"] = frozenset(revisions()[:-1])


def revisions() -> list[str]:
    """Return the revisions in order, one per file, without branches."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
