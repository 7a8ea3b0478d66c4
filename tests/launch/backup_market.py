"""A marketplace in its own database, to be backed up and restored."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.launch import backup
from backend.launch.embedded import EmbeddedPostgres
from backend.settings import Settings
from tests.factories.users import User, Users

NUMBERS = count(1)
PLACE = "INSERT INTO places (pincode, locality, district, state) VALUES ('560001', 'MG Road', 'Bengaluru', 'Karnataka')"


@contextlib.contextmanager
def database(url: str, name: str, **changes: Any) -> Iterator[Flask]:
    settings = Settings.from_env({"DATABASE_URL": f"{url.rsplit('/', 1)[0]}/{name}", "SECRET_KEY": "k" * 40})
    app = create_app(replace(settings, argon2_memory_kib=8, argon2_time_cost=1, **changes))
    with app.app_context():
        yield app


def close(app: Flask) -> None:
    """Close all connections, as after the application has stopped."""
    db.session.remove()
    db.engine.dispose()
    app.extensions["reads"]._pool.clear()


@dataclass
class Market:
    """One marketplace in its own database."""

    server: EmbeddedPostgres
    data_dir: Path
    name: str = field(default_factory=lambda: f"market{next(NUMBERS)}")

    def __post_init__(self) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE doorstep OWNER doorstep_owner")
        owner, app = (url.rsplit("/", 1)[0] + f"/{self.name}" for url in self.server.roles())
        self.owner, self.app_url = owner, app
        self.settings = replace(
            Settings.with_owner({"DATABASE_URL": app, "OWNER_DATABASE_URL": owner, "DATA_DIR": str(self.data_dir)}),
            secret_key="k" * 40,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Users]:
        """Run the application on this database and close all connections afterwards."""
        stores = {"data_dir": self.data_dir, "document_store_url": self.settings.document_store_url}
        with database(self.app_url, self.name, **stores) as app:
            try:
                yield Users(app, first=next(NUMBERS) * 100)
            finally:
                close(app)
        with psycopg.connect(self.server.url, autocommit=True) as connection:  # connections outside of the pools
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (self.name,)
            )

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            done = connection.execute(query, values)
            return list(done.fetchall()) if done.description else []

    def save(self, target: Path) -> Path:
        backup.make(self.settings, target)
        return target

    def restore(self, source: Path, **options: bool) -> None:
        backup.restore(self.settings, source, **options)


def document_of(user: User) -> bytes:
    answer = user.get("/me/document")
    assert answer.status_code == 200, answer.json
    return bytes(answer.data)


def stored(market: Market, key: str) -> Path:
    return market.data_dir / "documents" / key
