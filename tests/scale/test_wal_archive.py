"""A database is restored from the archive of its WAL to a point in time, after all its files were lost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from backend.launch import postgres_programs, processes
from backend.launch.embedded import EmbeddedPostgres
from backend.launch.postgres import ROLE
from tests.conftest import FAST
from tests.scale.archive import Archive
from tests.scale.lab import Lab, get
from tests.scale.load import send
from tests.scale.markets import loads, on_database
from tests.waiting import wait_until

pytestmark = pytest.mark.long
CALLS = 60


@pytest.fixture
def server(public_folder: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(public_folder / "server", parameters={**FAST, "synchronous_commit": "on"})
    made.start()
    yield made
    made.destroy()


@pytest.fixture
def archive(bare_lab: Lab, public_folder: Path, server: EmbeddedPostgres) -> Iterator[Archive]:
    home = postgres_programs.find(server.data_dir, server.name)
    made = Archive(bare_lab, public_folder, programs=home.programs, user=home.user)
    yield made
    made.end()


def at(url: str, port: int | None) -> str:
    """Return the URL with another port."""
    before, _, rest = url.rpartition("@127.0.0.1:")
    return f"{before}@127.0.0.1:{port}/{rest.partition('/')[2]}"


def time_after(url: str, name: str) -> str:
    """Return the server's time, in a later second than that of a base backup's name."""

    def is_later() -> bool:
        return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}" > name

    assert wait_until(is_later)
    with psycopg.connect(url) as connection:
        (found,) = connection.execute("SELECT clock_timestamp()::text").fetchone() or ("",)
    return str(found)


def test_restore_to_a_time_has_all_acknowledged_writes_and_no_later_one(
    bare_lab: Lab, server: EmbeddedPostgres, archive: Archive
) -> None:
    """A base backup runs beside writes, a table is dropped, and the server with its files is lost."""
    owner, app = server.roles()
    password = psycopg.conninfo.conninfo_to_dict(server.url)["password"]
    archive.receive(f"host=127.0.0.1 port={server.port} user={ROLE}", str(password))
    with loads(bare_lab, {"DATABASE_URL": app, "OWNER_DATABASE_URL": owner}) as make_load:
        with make_load() as load:
            load.wait_for_calls(CALLS)
            name = archive.base_backup()
            load.wait_for_calls(CALLS)
        assert load.failed() == []
        assert len(load.acknowledged) > 0
        time = time_after(server.url, name)
        with psycopg.connect(owner) as connection:
            connection.execute("DROP TABLE task_requests CASCADE")
        archive.wait_for(server.url)
    assert server.process is not None
    processes.kill_group(server.process)
    server.destroy()

    port = archive.restore(time)
    restored = {"DATABASE_URL": at(app, port), "OWNER_DATABASE_URL": at(owner, port)}
    two = bare_lab.machine("two", **restored)
    two.changes["PUBLIC_URL"] = two.url
    with on_database(two.environ):
        assert load.lost() == {}
    print(two.run("backend.launch.recovered", time))
    two.start("web")
    assert get(f"{two.url}/readyz")[0] == 200
    assert send(two.url, "GET", "/me", headers=load.customers[0].headers).status == 401, "sessions were ended"


def test_base_backups_remove_older_ones_and_the_wal_that_only_they_need(
    server: EmbeddedPostgres, archive: Archive
) -> None:
    password = psycopg.conninfo.conninfo_to_dict(server.url)["password"]
    archive.receive(f"host=127.0.0.1 port={server.port} user={ROLE}", str(password))
    names, first = [], archive.oldest_wal()
    for _ in range(3):
        names.append(archive.base_backup())
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("SELECT pg_switch_wal()")
        archive.wait_for(server.url)
        time_after(server.url, names[-1])
    assert archive.base_backups() == names[1:]
    assert archive.oldest_wal() > first
