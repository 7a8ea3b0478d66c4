"""Doorstep behind PgBouncer in transaction mode: several machines share a few sessions of the database."""

from contextlib import ExitStack

import psycopg

from backend.core.db.session import session_defaults
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.silent_proxy import SilentProxy
from tests.scale import pgbouncer
from tests.scale.lab import Lab, Machine, get
from tests.scale.load import Load
from tests.scale.test_machines import call, require_agreement
from tests.waiting import wait_until

CALLS = 400
FEW_CALLS = 12


def sessions_are_named_after(*kinds: str, server: str) -> bool:
    """Wait until the pooler's sessions have had each of these names; one that is shared changes its name."""
    seen: set[str] = set()

    def look() -> bool:
        with psycopg.connect(server) as connection:
            query = "SELECT application_name FROM pg_stat_activity WHERE usename = %s"
            seen.update(name for (name,) in connection.execute(query, (pgbouncer.ROLE,)).fetchall())
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
        counted = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (pgbouncer.ROLE,)
        ).fetchone()
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
