"""New migrations lock no large table for long, and an earlier version works beside those of the expand phase.

Squawk reads the statements of each revision after BASELINE. A revision that has to break one of its rules says so in
its file, with the reason: ``allowed = {"require-concurrent-index-creation": "tasks has a few hundred rows"}``.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError

from backend.core.db.session import db
from backend.migrations import FOLDER, operations, phases, revisions_too_old
from backend.migrations.phases import Contract, Plan, Running, Step
from backend.migrations.setup import upgrade
from backend.settings import VERSION
from tests.waiting import HANG_SECONDS

BASELINE: Final = "0035"  # earlier revisions have been run everywhere
PROGRAM: Final = Path(sys.executable).parent / "squawk"
# Alembic's environment sets both limits for its session before it runs a revision.
LIMITS: Final = "SET lock_timeout = '3s'; SET statement_timeout = '1h';\n"
LEFT_OUT: Final = (
    "prefer-robust-stmts",  # a revision is one transaction; backend/migrations/operations.py can be repeated
    "prefer-bigint-over-int",  # whether a column may outgrow an integer is checked by people
    "prefer-bigint-over-smallint",
    "ban-drop-constraint",  # an earlier version keeps to it without the database
)
CONTRACT_MAY: Final = {"ban-drop-column", "ban-drop-table", "ban-drop-not-null", "renaming-column", "renaming-table"}
PARAMETER: Final = re.compile(r"%\(\w+\)s")
IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_many'::regclass"
NO_CHANGE: Final = ("SELECT", "SHOW", "WITH")

pytestmark = pytest.mark.filterwarnings("ignore:Expression #:UserWarning")


def problems(sql: str) -> set[str]:
    """Return the rules of Squawk that statements break."""
    command = [str(PROGRAM), "--pg-version", "15", "--reporter", "json", f"--exclude={','.join(LEFT_OUT)}"]
    done = subprocess.run(
        command, input=LIMITS + sql, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert done.stdout, done.stderr
    return {found["rule_name"] for found in json.loads(done.stdout)}


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Collect what the block sends to the database, as a script with its transactions."""
    script: list[str] = []
    within = False

    def note(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        nonlocal within
        if statement.lstrip().upper().startswith(NO_CHANGE) or "alembic_version" in statement:
            return
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        if within is driver.autocommit:
            script.append("COMMIT;" if within else "BEGIN;")
            within = not within
        script.append(PARAMETER.sub("NULL", statement).strip().rstrip(";") + ";")

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield script
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        if within:
            script.append("COMMIT;")


def new_revisions() -> list[tuple[str, ModuleType]]:
    script = ScriptDirectory(str(FOLDER))
    return [(found.revision, found.module) for found in reversed(list(script.iterate_revisions("head", BASELINE)))]


def test_new_revisions_lock_no_table_for_long(fresh: Flask) -> None:
    upgrade(BASELINE)
    found = {}
    for revision, module in new_revisions():
        allowed: Mapping[str, str] = getattr(module, "allowed", {})
        assert all(allowed.values()), f"{revision} gives no reason"
        with recorded() as script:
            upgrade(revision)
        may = set(allowed) | (CONTRACT_MAY if module.phase == "contract" else set())
        broken = problems("\n".join(script))
        assert set(allowed) <= broken, f"{revision} allows what it does not need: {set(allowed) - broken}"
        if left := broken - may:
            found[revision] = sorted(left)
    assert found == {}


def test_new_revisions_that_commit_in_between_can_be_run_again(fresh: Flask) -> None:
    """What an interrupted one has committed stays, while its revision is not noted."""
    upgrade(before := BASELINE)
    repeated = []
    for revision, _ in new_revisions():
        with recorded() as script:
            upgrade(revision)
        if "COMMIT;" in script[:-1]:
            with db.engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})
            upgrade(revision)
            repeated.append(revision)
        before = revision
    assert {"0036", "0042"} <= set(repeated)


def test_new_revisions_name_their_phase_and_a_version_that_exists() -> None:
    for revision, module in new_revisions():
        assert module.phase in ("expand", "contract"), revision
        if module.phase == "contract":
            assert phases.version_key(module.since) <= phases.version_key(VERSION), revision


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("BEGIN; CREATE INDEX i ON task_requests (id); COMMIT;", "require-concurrent-index-creation"),
        ("BEGIN; DROP INDEX i; COMMIT;", "require-concurrent-index-deletion"),
        ("BEGIN; ALTER TABLE jobs ADD CONSTRAINT c CHECK (id > 0); COMMIT;", "constraint-missing-not-valid"),
        ("BEGIN; ALTER TABLE jobs ALTER COLUMN id TYPE text; COMMIT;", "changing-column-type"),
        ("BEGIN; ALTER TABLE jobs ADD COLUMN a text NOT NULL; COMMIT;", "adding-required-field"),
        ("BEGIN; ALTER TABLE jobs DROP COLUMN topic; COMMIT;", "ban-drop-column"),
        ("BEGIN; ALTER TABLE jobs RENAME COLUMN topic TO kind; COMMIT;", "renaming-column"),
    ],
)
def test_squawk_names_statements_that_stop_an_earlier_version(sql: str, rule: str) -> None:
    assert rule in problems(sql)


def test_operations_replace_what_an_interrupted_attempt_left(fresh: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE many (id bigint, name text)"))
        connection.execute(text("INSERT INTO many VALUES (1, 'a'), (1, 'b')"))
    with pytest.raises(IntegrityError, match="could not create unique index"):
        change()
    assert ask(IS_VALID) is False
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM many WHERE name = 'b'"))
    with recorded() as script:
        change()
        change()
    assert ask(IS_VALID) is True
    assert ask("SELECT convalidated FROM pg_constraint WHERE conname = 'ck_many_id'") is True
    assert problems("\n".join(script)) == set()
    with within_operations():
        operations.drop_index("ix_many")
    assert ask("SELECT to_regclass('ix_many')") is None


def change() -> None:
    with within_operations() as connection:
        operations.create_index("ix_many", "many", "(id)", unique=True)
        operations.add_constraint("ck_many_id", "many", "CHECK (id > 0)")
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == operations.LOCK_TIMEOUT


@contextmanager
def within_operations() -> Iterator[Connection]:
    with db.engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            yield connection
        connection.execute(text("RESET lock_timeout"))
        connection.commit()


def ask(query: str) -> object:
    with db.engine.connect() as connection:
        found: object = connection.execute(text(query)).scalar_one()
    return found


EXPAND, LATER = Step("0041", None), Step("0043", None)
CONTRACT = Step("0042", "0.3.0")
OLD, NEW = Running("web 1 on a (version 0.2.9)", "0.2.9"), Running("web 2 on b (version 0.10.0)", "0.10.0")


@pytest.mark.parametrize(
    ("steps", "running", "contract", "expected"),
    [
        ([], [OLD], Contract.SAFE, Plan(None)),
        ([EXPAND], [OLD], Contract.SAFE, Plan("0041")),
        ([EXPAND, CONTRACT], [], Contract.SAFE, Plan("0042")),
        ([EXPAND, CONTRACT], [NEW], Contract.SAFE, Plan("0042")),
        ([EXPAND, CONTRACT], [NEW, OLD], Contract.SAFE, Plan("0041", ("0042",), (), (OLD.label,))),
        ([CONTRACT], [OLD], Contract.SAFE, Plan(None, ("0042",), (), (OLD.label,))),
        ([EXPAND, CONTRACT], [], Contract.NEVER, Plan("0041", ("0042",))),
        ([EXPAND, CONTRACT], [OLD], Contract.ALWAYS, Plan("0042")),
        ([EXPAND, CONTRACT, LATER], [OLD], Contract.SAFE, Plan("0041", ("0042",), ("0043",), (OLD.label,))),
        ([EXPAND, CONTRACT, LATER], [NEW], Contract.SAFE, Plan("0043")),
    ],
)
def test_plan_stops_before_contract_revision_while_older_process_is_there(
    steps: list[Step], running: list[Running], contract: Contract, expected: Plan
) -> None:
    assert phases.plan(steps, running, contract) == expected


def test_database_without_contract_revision_is_not_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versions").mkdir()
    for number, phase in (("0001", "expand"), ("0002", "contract"), ("0003", "expand"), ("0004", "contract")):
        (tmp_path / "versions" / f"{number}_it.py").write_text(f'"""Text."""\n\nphase = "{phase}"\n')
    monkeypatch.setattr("backend.migrations.FOLDER", tmp_path)
    assert revisions_too_old() == {"0001", "0002"}
