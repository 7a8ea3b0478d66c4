"""Several machines that prepare one database at once: one does it, the others wait for it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core.db.exclusive import exclusive
from backend.core.db.session import db
from backend.launch import prepare
from backend.launch.embedded import EmbeddedPostgres
from backend.migrations import phases
from backend.migrations.setup import downgrade, upgrade
from backend.settings import ROOT, VERSION, Settings
from tests.launch.backup_market import close, database
from tests.launch.product import clean_environment
from tests.waiting import HANG_SECONDS, wait_until

MACHINES = 4
NUMBERS = count(1)
WAITS = "Another process is preparing this database"
REVISION = "SELECT version_num FROM alembic_version"
OLDER_PROCESS = """
    INSERT INTO processes (id, kind, machine, pid, parent_pid, version, key_digest, settings, started_at, seen_at)
    VALUES (gen_random_uuid(), 'web', 'old', 1, 1, '0.0.1', '', '{}', now(), now())
"""
BEFORE_COLUMN_NAMES = "0018"  # the next revision renames columns of jobs, which requires a lock of the whole table


@dataclass
class Fleet:
    """Machines with separate folders on one database."""

    folder: Path
    name: str
    owner: str
    app: str

    @contextmanager
    def preparing(self, machines: int = MACHINES, **changes: str) -> Iterator[list["subprocess.Popen[str]"]]:
        """Run `prepare` on all machines at once."""
        with ExitStack() as running:
            yield [running.enter_context(self._start(number, changes)) for number in range(machines)]

    def settings(self, number: int) -> dict[str, str]:
        """Return the settings of one machine."""
        return {
            "DATABASE_URL": self.app,
            "OWNER_DATABASE_URL": self.owner,
            "SECRET_KEY": "k" * 40,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DATA_DIR": str(self.folder / str(number)),
            "ARGON2_MEMORY_KIB": "8",
            "ARGON2_TIME_COST": "1",
        }

    @contextmanager
    def _start(self, number: int, changes: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
        environ = clean_environment(**{**self.settings(number), **changes})
        with (
            self._log(number).open("w") as log,
            subprocess.Popen(
                [sys.executable, "-m", "backend.launch.prepare"],
                env=environ,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def _log(self, number: int) -> Path:
        return self.folder / f"prepare-{number}.log"

    def log(self, number: int) -> str:
        return self._log(number).read_text()

    def results(self, running: list["subprocess.Popen[str]"]) -> list[dict[str, Any]]:
        """Wait for the processes, which must succeed, and return what each printed."""
        outputs = [process.communicate(timeout=HANG_SECONDS)[0] for process in running]
        logs = [self.log(number) for number in range(len(running))]
        assert [process.returncode for process in running] == [0] * len(running), logs
        return [json.loads(output.strip().splitlines()[-1]) for output in outputs]

    def ask(self, query: str) -> Any:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else None


@pytest.fixture
def fleet(server: EmbeddedPostgres, tmp_path: Path) -> Fleet:
    """Return machines on an empty database."""
    return fleet_on(server, tmp_path, template="template1")


def fleet_on(server: EmbeddedPostgres, folder: Path, *, template: str) -> Fleet:
    name = f"fleet{next(NUMBERS)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER doorstep_owner")
    owner, app = (url.rsplit("/", 1)[0] + f"/{name}" for url in server.roles())
    return Fleet(folder, name, owner, app)


def raced(fleet: Fleet) -> list[dict[str, Any]]:
    """Hold all machines back until each of them waits, let them go at once, and return what they printed."""
    with ExitStack() as lock:
        lock.enter_context(exclusive(fleet.owner, prepare.LOCK, wait_seconds=0, on_wait=lambda: None))
        with fleet.preparing() as running:
            all_wait = wait_until(lambda: all(WAITS in fleet.log(number) for number in range(MACHINES)))
            assert all_wait, [fleet.log(number) for number in range(MACHINES)]
            lock.close()
            return fleet.results(running)


def migrated_by(results: list[dict[str, Any]]) -> int:
    return sum(result["migrated"] for result in results)


def test_prepare_raced_on_empty_database_migrates_once_and_creates_one_admin(fleet: Fleet) -> None:
    results = raced(fleet)
    assert migrated_by(results) == 1
    assert len([result for result in results if result["places"]]) == 1
    assert len([result for result in results if result["password"]]) == 1
    assert fleet.ask("SELECT count(*) FROM accounts WHERE role = 'admin'") == 1
    assert fleet.ask("SELECT count(*) FROM alembic_version") == 1


def test_prepare_raced_on_earlier_revision_migrates_once(server: EmbeddedPostgres, tmp_path: Path) -> None:
    fleet = fleet_on(server, tmp_path, template="doorstep")
    newest = fleet.ask(REVISION)
    with database(fleet.owner, fleet.name) as app:
        downgrade("-2")
        close(app)
    assert fleet.ask(REVISION) != newest
    assert migrated_by(raced(fleet)) == 1
    assert fleet.ask(REVISION) == newest


def test_prepare_that_waits_too_long_fails_in_one_line(fleet: Fleet) -> None:
    with (
        exclusive(fleet.owner, prepare.LOCK, wait_seconds=0, on_wait=lambda: None),
        fleet.preparing(1, PREPARE_WAIT_SECONDS="1") as (process,),
    ):
        assert process.wait(HANG_SECONDS) == 1
    last = fleet.log(0).strip().splitlines()[-1]
    assert last.startswith("Another process is still preparing this database after 1 seconds. Start again when")
    assert fleet.ask("SELECT to_regclass('alembic_version')") is None


def test_prepare_with_locked_table_lets_others_continue_and_tries_again(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    fleet = fleet_on(server, tmp_path, template="doorstep")
    newest = fleet.ask(REVISION)
    with database(fleet.owner, fleet.name) as app:
        downgrade(BEFORE_COLUMN_NAMES)
        close(app)
    with psycopg.connect(fleet.owner) as busy:
        busy.execute("LOCK TABLE jobs IN ACCESS SHARE MODE")
        with fleet.preparing(1) as running:
            assert wait_until(lambda: "lock_timed_out" in fleet.log(0)), fleet.log(0)
            busy.rollback()
            assert migrated_by(fleet.results(running)) == 1
    assert fleet.ask(REVISION) == newest


def test_upgrade_leaves_no_time_limits_on_its_connection(server: EmbeddedPostgres, tmp_path: Path) -> None:
    """Behind a pooler, the product uses the connection afterwards."""
    fleet = fleet_on(server, tmp_path, template="doorstep")
    with database(fleet.owner, fleet.name) as app:
        limits = text("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        before = db.session.execute(limits).one()
        db.session.remove()
        upgrade()
        assert db.session.execute(limits).one() == before
        close(app)


@pytest.fixture
def contracting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the newest revision one that removes what versions before this one use."""
    found = phases.steps_after(None)
    changed = [*found[:-1], phases.Step(found[-1].revision, VERSION)]
    monkeypatch.setattr(phases, "steps_after", lambda at: changed[[step.revision for step in found].index(at) + 1 :])


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the connections of the applications that prepare makes here, whose processes end otherwise."""
    made: list[Flask] = []

    def create(settings: Settings) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    monkeypatch.setattr(prepare, "create_app", create)
    yield
    for app in made:
        with app.app_context():
            close(app)


@pytest.mark.usefixtures("contracting", "closing")
def test_prepare_leaves_contract_revision_until_older_processes_ended(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = fleet_on(server, tmp_path, template="doorstep")
    newest = fleet.ask(REVISION)
    with database(fleet.owner, fleet.name) as app:
        downgrade("-1")
        close(app)
    before = fleet.ask(REVISION)
    for name, value in {**fleet.settings(0), "MACHINE_NAME": "new"}.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(fleet.owner, autocommit=True) as connection:
        connection.execute(OLDER_PROCESS)
        assert prepare.main([]) == 0
        shown = capsys.readouterr()
        assert json.loads(shown.out.splitlines()[-1])["waiting"] == [newest]
        assert "web 1 on old (version 0.0.1)" in shown.err
        assert fleet.ask(REVISION) == before

        connection.execute("DELETE FROM processes")
        assert prepare.main(["--expand"]) == 0
        assert fleet.ask(REVISION) == before
        assert prepare.main([]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["waiting"] == []
    assert fleet.ask(REVISION) == newest
