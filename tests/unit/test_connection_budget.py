"""The maximum number of database connections, and the problems reported when the server allows fewer."""

from dataclasses import replace
from uuid import uuid4

import psycopg

from backend.core.db import connection_budget
from backend.settings import Settings


def test_budget_with_default_settings_fits_default_server() -> None:
    assert connection_budget.budget(replace(Settings(), worker_concurrency=3)).total <= 100 - 3


def test_budget_over_server_limit_names_the_settings(settings: Settings) -> None:
    verdict = connection_budget.check_at(replace(settings, web_workers=8, worker_concurrency=3))
    assert not verdict.fits
    for name in ("WEB_WORKERS (8)", "DB_POOL_SIZE (16)", "DB_READ_POOL_SIZE (12)", "WORKER_CONCURRENCY (3)"):
        assert name in verdict.problem
    assert "max_connections (currently 120)" in verdict.problem
    assert "\n" not in verdict.problem
    assert connection_budget.check_at(settings) == connection_budget.Verdict(fits=True, problem="")


def test_budget_with_other_databases_in_use_warns(settings: Settings, postgres_url: str) -> None:
    other = postgres_url.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(postgres_url, autocommit=True) as connection, psycopg.connect(other, autocommit=True):
        ours = connection.execute("SELECT current_setting('max_connections')::int - 3").fetchall()[0][0]
        one_process = replace(settings, web_workers=1, db_pool_size=1)
        spare = ours - connection_budget.budget(one_process).total
        verdict = connection_budget.check(replace(one_process, db_pool_size=1 + spare), connection)
    assert verdict.fits
    assert "other databases currently use" in verdict.problem


def test_budget_over_connection_limit_of_role_is_rejected(settings: Settings, postgres_url: str) -> None:
    role = f"limited_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} CONNECTION LIMIT 20")
        connection.execute(f"SET ROLE {role}")
        verdict = connection_budget.check(settings, connection)
        connection.execute("RESET ROLE")
        connection.execute(f"DROP ROLE {role}")
    assert not verdict.fits
    assert "allows 20 connections" in verdict.problem


def test_budget_with_unreachable_server_reports_no_problem(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://127.0.0.1:1/none")
    assert connection_budget.check_at(away).fits


def test_budget_of_upgrade_counts_a_second_web_server(settings: Settings, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        ours = connection.execute("SELECT current_setting('max_connections')::int - 3").fetchall()[0][0]
        one_process = replace(settings, web_workers=1, db_pool_size=1)
        filled = replace(one_process, db_pool_size=1 + ours - connection_budget.budget(one_process).total)
        assert connection_budget.check(filled, connection).fits
        verdict = connection_budget.check(filled, connection, upgrading=True)
    assert not verdict.fits
    assert "during an upgrade" in verdict.problem
