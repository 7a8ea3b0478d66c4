"""The servers out of wheels come up again whatever happened to them, with nothing lost."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.launch import postgres_programs
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.settings import ROOT
from tests.waiting import wait_until


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "data")
    yield server
    server.destroy()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "data")
    yield server
    server.stop()


def test_committed_rows_survive_kill_and_an_orphan_is_taken_over(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    port = postgres.port
    orphan = EmbeddedPostgres(postgres.data_dir)
    assert orphan.start().endswith("/doorstep"), "the first one is ended by the second"
    assert not postgres.alive()
    assert orphan.process is not None
    orphan.process.kill()
    orphan.process.wait()
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    assert port == postgres.port, "clients keep their address"


def test_an_interrupted_first_start_is_done_again(postgres: EmbeddedPostgres) -> None:
    postgres.data_dir.mkdir()
    cluster = postgres_programs.find(postgres.data_dir, "postgres").cluster
    unfinished = cluster.with_name(
        "postgres.unfinished" if cluster.parent == postgres.data_dir else f"{cluster.name}.unfinished"
    )
    unfinished.mkdir(parents=True)
    (unfinished / "half").write_text("a cluster")
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT lower('ÄЖ')").fetchone() == ("äж",)
    assert not unfinished.exists()


def test_a_note_of_a_process_that_is_someone_else_is_ignored(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    note = postgres_programs.find(postgres.data_dir, "postgres").cluster / "postmaster.pid"
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    postgres.start()
    assert postgres.alive()


def test_a_cluster_with_one_role_is_handed_over(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION unaccent")
        connection.execute("CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
        connection.execute("CREATE VIEW words AS SELECT word FROM kept")
        connection.execute("CREATE FUNCTION one(a int) RETURNS int LANGUAGE sql RETURN 1")
    for _ in range(2):
        owner, app = postgres.roles()
    with psycopg.connect(owner, autocommit=True) as connection:
        assert connection.execute(
            "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (
            "doorstep_owner",
            False,
        )
        for order in (
            "INSERT INTO kept (word) VALUES ('a')",
            "ALTER TABLE kept ADD COLUMN more int",
            "DROP VIEW words",
            "DROP FUNCTION one(int)",
            "CREATE DATABASE another",
            "DROP DATABASE another",
        ):
            connection.execute(order)
    with psycopg.connect(app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM kept")


def test_values_of_a_failing_statement_are_not_in_the_log_of_the_server(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE mails (mail text PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO mails VALUES (%s)", ("leak57e196@example.com",))
    told = postgres.log.read_text()
    assert "duplicate key value" in told
    assert "leak57e196" not in told


def test_folders_of_others_keep_their_modes(postgres: EmbeddedPostgres) -> None:
    above = [postgres.data_dir.parent, *list(postgres.data_dir.parent.parents)[:-1]]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in above]
    postgres.start()
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in above] == before


def test_queue_survives_a_kill(valkey: EmbeddedValkey) -> None:
    client = redis.Redis.from_url(valkey.start())
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    client.config_set("appendfsync", "always")
    client.set("kept", "1")
    client.close()
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()
    client = redis.Redis.from_url(valkey.start())
    assert client.get("kept") == b"1"
    client.close()


def test_an_unreadable_queue_is_put_aside(valkey: EmbeddedValkey) -> None:
    valkey.start()
    valkey.stop()
    for file in (valkey.data_dir / "valkey" / "appendonlydir").glob("*"):
        file.write_bytes(b"this is no append-only file\n" * 10)
    client = redis.Redis.from_url(valkey.start())
    assert client.ping()
    client.close()
    assert list(valkey.data_dir.glob("valkey.unreadable-*"))


def test_strangers_are_not_let_in(valkey: EmbeddedValkey, postgres: EmbeddedPostgres) -> None:
    valkey.start()
    postgres.start()
    client = redis.Redis(host="127.0.0.1", port=valkey.port or 0, retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://doorstep@127.0.0.1:{postgres.port}/doorstep", password="a guess")


def test_servers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from backend.launch.embedded import EmbeddedValkey
        server = EmbeddedValkey(Path(sys.argv[1]))
        server.start()
        print(server.pid, flush=True)
        time.sleep(600)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        assert wait_until(lambda: not server.is_running())
