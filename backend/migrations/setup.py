"""Binds Flask-Migrate to this folder and to every model."""

from pathlib import Path
from typing import Final

from flask import Flask
from flask_migrate import Migrate

from backend.core.database import db

FOLDER: Final = Path(__file__).parent
migrate = Migrate()


def init_app(app: Flask) -> None:
    migrate.init_app(app, db, directory=str(FOLDER), compare_type=True)
