"""The embedded servers start again after crashes and keep committed data."""

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


def test_postgres_after_kill_keeps_rows_and_takes_over_orphan(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    port = postgres.port
    orphan = EmbeddedPostgres(postgres.data_dir)
    assert orphan.start().endswith("/doorstep"), "the second one ends the first"
    assert not postgres.alive()
    assert orphan.process is not None
    orphan.process.kill()
    orphan.process.wait()
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    assert port == postgres.port, "the port stays the same"


def test_postgres_after_interrupted_first_start_initialises_again(postgres: EmbeddedPostgres) -> None:
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


def test_postgres_with_pid_file_of_another_process_starts(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert postgres.process is not None
    postgres.process.kill()
    postgres.process.wait()
    note = postgres_programs.find(postgres.data_dir, "postgres").cluster / "postmaster.pid"
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    postgres.start()
    assert postgres.alive()


def test_postgres_cluster_with_one_role_gets_owner_and_app_roles(postgres: EmbeddedPostgres) -> None:
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


def test_postgres_log_does_not_contain_values_of_failing_statement(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE mails (mail text PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO mails VALUES (%s)", ("leak57e196@example.com",))
    log = postgres.log.read_text()
    assert "duplicate key value" in log
    assert "leak57e196" not in log


def test_postgres_start_keeps_modes_of_parent_folders(postgres: EmbeddedPostgres) -> None:
    above = [postgres.data_dir.parent, *list(postgres.data_dir.parent.parents)[:-1]]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in above]
    postgres.start()
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in above] == before


def test_valkey_queue_after_kill_is_kept(valkey: EmbeddedValkey) -> None:
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


def test_valkey_with_unreadable_queue_starts_and_keeps_the_old_files(valkey: EmbeddedValkey) -> None:
    valkey.start()
    valkey.stop()
    for file in (valkey.data_dir / "valkey" / "appendonlydir").glob("*"):
        file.write_bytes(b"this is no append-only file\n" * 10)
    client = redis.Redis.from_url(valkey.start())
    assert client.ping()
    client.close()
    assert list(valkey.data_dir.glob("valkey.unreadable-*"))


def test_embedded_servers_reject_wrong_passwords(valkey: EmbeddedValkey, postgres: EmbeddedPostgres) -> None:
    valkey.start()
    postgres.start()
    client = redis.Redis(host="127.0.0.1", port=valkey.port or 0, retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.AuthenticationError):
        client.ping()
    client.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://doorstep@127.0.0.1:{postgres.port}/doorstep", password="a guess")


def test_embedded_servers_end_with_their_parent_process(tmp_path: Path) -> None:
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
