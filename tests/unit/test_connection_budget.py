"""How many connections are opened at most, and what is said when the server has no room for them."""

from dataclasses import replace
from uuid import uuid4

import psycopg

from backend.core.db import connection_budget
from backend.settings import Settings


def test_the_default_fits_a_server_with_its_default_of_connections() -> None:
    assert connection_budget.budget(Settings()).total <= 100 - 3


def test_more_than_the_server_takes_is_refused_and_names_the_settings(settings: Settings) -> None:
    verdict = connection_budget.check_at(replace(settings, web_workers=8))
    assert not verdict.fits
    for name in ("WEB_WORKERS (8)", "DB_POOL_SIZE (16)", "DB_READ_POOL_SIZE (12)", "WORKER_CONCURRENCY (3)"):
        assert name in verdict.problem
    assert "max_connections (currently 120)" in verdict.problem
    assert "\n" not in verdict.problem
    assert connection_budget.check_at(settings) == connection_budget.Verdict(fits=True, problem="")


def test_other_databases_of_the_server_are_warned_of(settings: Settings, postgres_url: str) -> None:
    other = postgres_url.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(postgres_url, autocommit=True) as connection, psycopg.connect(other, autocommit=True):
        ours = connection.execute("SELECT current_setting('max_connections')::int - 3").fetchall()[0][0]
        one_process = replace(settings, web_workers=1, db_pool_size=1)
        spare = ours - connection_budget.budget(one_process).total
        verdict = connection_budget.check(replace(one_process, db_pool_size=1 + spare), connection)
    assert verdict.fits
    assert "other databases currently use" in verdict.problem


def test_the_limit_of_the_role_counts(settings: Settings, postgres_url: str) -> None:
    role = f"limited_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} CONNECTION LIMIT 20")
        connection.execute(f"SET ROLE {role}")
        verdict = connection_budget.check(settings, connection)
        connection.execute("RESET ROLE")
        connection.execute(f"DROP ROLE {role}")
    assert not verdict.fits
    assert "allows 20 connections" in verdict.problem


def test_a_server_that_is_away_is_no_problem_of_this_kind(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://127.0.0.1:1/none")
    assert connection_budget.check_at(away).fits
