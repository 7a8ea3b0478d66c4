"""One database server for all backup tests, and a separate database for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from backend.launch import database_roles
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations.setup import upgrade
from tests.conftest import FAST
from tests.launch.backup_market import PLACE, Market, close, database


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start a server with both roles and a prepared database, which each test copies."""
    made = EmbeddedPostgres(tmp_path_factory.mktemp("server"), parameters=FAST)
    made.start()
    owner, app = made.roles()
    with database(owner, "doorstep") as prepared:
        upgrade()
        db.session.execute(text(PLACE))
        db.session.commit()
        close(prepared)
    database_roles.admit(owner, app)
    yield made
    made.destroy()


@pytest.fixture
def market(server: EmbeddedPostgres, tmp_path: Path) -> Market:
    return Market(server, tmp_path / "data")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "saved"
