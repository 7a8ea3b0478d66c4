"""Commands of operators on a database of several hosts: the first is gone, the second accepts no writes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from backend.launch import database_roles
from backend.launch.embedded import EmbeddedPostgres
from backend.settings import ROOT, Settings
from tests.conftest import FAST
from tests.launch.backup_market import Market
from tests.launch.product import clean_environment
from tests.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
def standby(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start a second server that has the roles of the first and accepts no writes."""
    made = EmbeddedPostgres(tmp_path_factory.mktemp("standby"), parameters=FAST)
    with psycopg.connect(made.start(), autocommit=True) as connection:
        for url in server.roles():
            found = conninfo_to_dict(url)
            database_roles.put_role(connection, str(found["user"]), str(found["password"]))
    yield made
    made.destroy()


@pytest.fixture
def market(server: EmbeddedPostgres, standby: EmbeddedPostgres, tmp_path: Path) -> Market:
    """Return a marketplace whose URLs name all three hosts, of which the last is its own."""
    made = Market(server, tmp_path / "data")
    with psycopg.connect(standby.url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made.name)))
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
    hosts = f"127.0.0.1:1,127.0.0.1:{standby.port},127.0.0.1:{server.port}"
    app, owner = (url.replace(urlsplit(url).netloc.rpartition("@")[2], hosts) for url in (made.app_url, made.owner))
    given = {"DATABASE_URL": app, "OWNER_DATABASE_URL": owner, "DATA_DIR": str(made.data_dir), "SECRET_KEY": "k" * 40}
    made.settings = Settings.with_owner(given)
    made.app_url, made.owner = made.settings.database_url, made.settings.owner_database_url
    return made


def test_backup_and_restore_use_the_host_that_accepts_writes(market: Market, tmp_path: Path) -> None:
    with market.running() as users:
        asha = users.customer()
    market.save(tmp_path / "saved")
    market.ask("UPDATE accounts SET firstname = 'Changed'")
    market.restore(tmp_path / "saved")
    assert market.ask("SELECT firstname FROM accounts") == [(asha.username.capitalize(),)]


def test_prepare_migrates_the_host_that_accepts_writes(market: Market) -> None:
    name = sql.Identifier(market.name)
    with psycopg.connect(market.server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template1 OWNER doorstep_owner").format(name))
    given = {
        "DATABASE_URL": market.app_url,
        "OWNER_DATABASE_URL": market.owner,
        "SECRET_KEY": "k" * 40,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATA_DIR": str(market.data_dir),
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "backend.launch.prepare"],
        cwd=ROOT,
        env=clean_environment(**given),
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert market.ask("SELECT count(*) > 0 FROM places") == [(True,)]
