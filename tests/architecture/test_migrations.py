"""Migrations match the models, upwards and downwards, on an empty database and on one in use."""

import os
import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import ProgrammingError

from backend.cli import bootstrap
from backend.core.db.session import db
from backend.migrations.setup import check, downgrade, upgrade
from backend.settings import ROOT
from tests.factories.requests import RequestMarket, do
from tests.factories.users import User, Users
from tests.waiting import HANG_SECONDS

FIRST = "0001"
# Alembic cannot compare indexes on expressions; tests of query plans show that they exist.
pytestmark = pytest.mark.filterwarnings("ignore:Expression #:UserWarning")


def test_migrations_match_models_before_and_after_downgrade_to_base(fresh: Flask) -> None:
    upgrade()
    check()
    downgrade(revision="base")
    left = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    assert not left
    upgrade()
    check()


def test_failed_migration_is_rolled_back_alone(fresh: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE sign_in_failures (in_the_way int)"))
    with pytest.raises(ProgrammingError, match="already exists"):
        upgrade()
    assert db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == FIRST
    db.session.execute(text("DROP TABLE sign_in_failures"))
    db.session.commit()
    upgrade()
    check()


def test_migrations_run_concurrently_wait_for_each_other(fresh: Flask, environ: dict[str, str]) -> None:
    given = {**os.environ, **environ, "DATABASE_URL": fresh.extensions["settings"].database_url}
    command = [sys.executable, "-m", "flask", "--app", "backend.app:create_owner_app", "db", "upgrade"]
    running = [subprocess.Popen(command, env=given, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate(timeout=HANG_SECONDS)[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    check()


def test_migrations_downgrade_and_upgrade_keep_data(migrated: Flask) -> None:
    bootstrap.run(migrated)
    fill(migrated)
    before = counts()
    assert before["task_requests"] == 8
    proven = proofs()
    assert [proof for _, proof in proven if proof] == ["code", "customer"]
    downgrade(revision="0035")
    upgrade()
    assert proofs() == proven, "as the history tells"
    downgrade(revision=FIRST)
    upgrade()
    assert {name: counts()[name] for name in ("accounts", "task_requests", "tasks", "places")} == {
        name: before[name] for name in ("accounts", "task_requests", "tasks", "places")
    }
    check()


def fill(app: Flask) -> None:
    users = Users(app)
    market = RequestMarket(users)
    customer = users.customer()
    for status in ("requested", "accepted", "completed", "closed", "cancelled"):
        market.bring_to(status, customer, market.professional())
    start_visits(users, market, customer)


def start_visits(users: Users, market: RequestMarket, customer: User) -> None:
    """Start three visits: with a code, confirmed by the customer, and without a code after that was undone."""
    for policy in ("required", "off", "off"):
        users.admin().patch("/settings", {"start_code": policy})
        professional = market.professional()
        visit = market.bring_to("accepted", customer, professional)
        path = f"/requests/{visit['id']}"
        if visit["start_code"]:
            do(professional, f"{path}/start", {"code": visit["start_code"]})
        else:
            do(customer, f"{path}/start")
    do(customer, f"{path}/undo_step")
    do(professional, f"{path}/start")


def proofs() -> list[tuple[int, str | None]]:
    found = db.session.execute(text("SELECT id, start_proof FROM task_requests ORDER BY id")).all()
    db.session.rollback()
    return [(row.id, row.start_proof) for row in found]


def counts() -> dict[str, int]:
    db.session.rollback()
    names = inspect(db.engine).get_table_names()
    found = {name: db.session.execute(select(func.count()).select_from(text(name))).scalar_one() for name in names}
    db.session.rollback()
    return found
