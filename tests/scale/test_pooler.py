"""Doorstep behind PgBouncer in transaction mode: several machines share a few sessions of the database."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from backend.core.db.session import session_defaults
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.silent_proxy import SilentProxy
from tests.scale import pgbouncer
from tests.scale.lab import Lab, Machine, get, needs
from tests.scale.load import Load
from tests.scale.test_machines import call, require_agreement
from tests.waiting import wait_until

ROLE, PASSWORD = "doorstep_pooled", "password-of-the-pooled-role"
CALLS = 400
FEW_CALLS = 12


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """Return the name of the application's role, which `prepare` creates; it goes with the test."""
    yield ROLE
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
            for order in ("DROP OWNED BY {}", "DROP ROLE {}"):
                connection.execute(sql.SQL(order).format(sql.Identifier(ROLE)))


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
    users = {role: PASSWORD, pgbouncer.ADMIN: "a"}
    postgres_url = lab.environ["DATABASE_URL"]
    server = postgres_url.replace(f":{urlsplit(postgres_url).port}/", f":{database.port}/")
    port = pgbouncer.start(lab, public_folder, server=server, users=users, prepares=request.param == "on")
    return {
        "DATABASE_URL": f"postgresql://{role}:{PASSWORD}@127.0.0.1:{port}{urlsplit(postgres_url).path}",
        "OWNER_DATABASE_URL": postgres_url,
        "DATABASE_POOLED": "on",
        "DB_PREPARE": request.param,
    }


def sessions_are_named_after(*kinds: str, server: str) -> bool:
    """Wait until the pooler's sessions have had each of these names; one that is shared changes its name."""
    seen: set[str] = set()

    def look() -> bool:
        with psycopg.connect(server) as connection:
            query = "SELECT application_name FROM pg_stat_activity WHERE usename = %s"
            seen.update(name for (name,) in connection.execute(query, (ROLE,)).fetchall())
        return seen.issuperset(kinds)

    return wait_until(look)


def require_export_and_tolerant_search(machine: Machine, market: RequestMarket) -> None:
    """Export through the worker, and search for a word whose likeness needs the role's threshold."""
    admin = market.users.admin()
    status, made = call(machine, admin, "POST", "/exports", {})
    assert status == 202, made
    assert wait_until(lambda: call(machine, admin, "GET", f"/exports/{made['id']}")[1]["status"] == "done")
    status, changed = call(machine, admin, "PATCH", f"/tasks/{market.task_id}", {"name": "Sofa cleaning"}, If_Match="*")
    assert status == 200, changed
    found = call(machine, None, "GET", "/search?q=claening&pincode=560001")[1]
    assert [item["name"] for item in found["items"]] == ["Sofa cleaning"]


def test_calls_jobs_and_commands_work_behind_a_pooler_with_all_limits(
    lab: Lab, market: RequestMarket, pooled: dict[str, str], postgres_url: str, database: SilentProxy
) -> None:
    """Load on two machines; then the database stops and comes back: calls are refused with Retry-After, and recover."""
    one = lab.machine("one", **pooled)
    one.changes["PUBLIC_URL"] = one.url
    two = lab.machine("two", **pooled, PUBLIC_URL=one.url)
    one.run("backend.launch.prepare")
    for machine in (one, two):
        machine.start("web")
    one.start("worker")
    market.professional()
    customers = [market.users.customer() for _ in range(4)]
    with ExitStack() as loads:
        both = [loads.enter_context(Load(machine.url, customers, market.task_id)) for machine in (one, two)]
        for load in both:
            load.wait_for_calls(CALLS)
    for load in both:
        assert load.failed() == []
        assert load.refused() == []
        assert load.lost() == {}
    require_agreement(one, two, market)
    require_export_and_tolerant_search(two, market)

    wanted = session_defaults(Settings.from_env(one.environ))
    with psycopg.connect(pooled["DATABASE_URL"], prepare_threshold=None) as connection:
        connection.execute("SELECT word_similarity('a', 'b')")
        query = "SELECT lower(name), setting FROM pg_settings WHERE lower(name) = ANY(%s)"
        assert dict(connection.execute(query, (list(wanted),)).fetchall()) == wanted
    with psycopg.connect(postgres_url) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (ROLE,)).fetchone()
    assert counted is not None
    assert counted[0] <= pgbouncer.CONNECTIONS

    assert sessions_are_named_after("doorstep-web", "doorstep-worker", server=postgres_url)

    with Load(two.url, customers, market.task_id) as load:
        load.wait_for_successes(FEW_CALLS)
        database.cut()
        assert wait_until(lambda: len(load.failed()) >= FEW_CALLS)
        database.restore()
        load.wait_for_successes(FEW_CALLS)
    assert {answer.status for answer in load.failed()} == {503}, load.failed()
    assert all(answer.retry_after for answer in load.failed())
    assert load.refused() == []
    assert load.lost() == {}

    assert wait_until(lambda: b'"ready"' in get(f"{one.url}/readyz")[1])
    assert "All checks passed." in one.run("flask", "--app", "backend.app:create_owner_app", "doctor")
