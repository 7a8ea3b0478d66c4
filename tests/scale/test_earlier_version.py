"""Machines of an earlier version of this project are upgraded to this one, with its migrations, under load."""

import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
import pytest

from backend.migrations import revisions
from tests.factories.requests import RequestMarket
from tests.factories.servers import free_port
from tests.factories.users import User
from tests.scale import haproxy, history
from tests.scale.lab import HISTORY, Lab, Machine, needs
from tests.scale.load import Load, send
from tests.scale.markets import on_database
from tests.scale.test_rolling_upgrade import ADDED, DEAD, NEXT, REVISION, VERSIONS, ask, make_tree
from tests.waiting import wait_until

pytestmark = [needs("haproxy", HISTORY), pytest.mark.long]
CALLS: Final = 40  # before, between and after the restarts
DATABASE: Final = "doorstep_earlier"


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """Return the URL of an empty database, which goes with the test."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
        yield f"{postgres_url.rpartition('/')[0]}/{DATABASE}"
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def earlier_tree(tmp_path: Path) -> Path:
    """Return the sources before the latest migrations."""
    commit = history.commit_before(history.MIGRATION)
    assert commit is not None
    return history.copy_sources(commit, tmp_path / "earlier")


def start_export(url: str, admin: User) -> int:
    made = send(url, "POST", "/exports", b"{}", {**admin.headers, "Content-Type": "application/json"})
    assert made.status == 202, made
    return int(json.loads(made.body)["id"])


def is_done(url: str, admin: User, export_id: int) -> bool:
    return bool(json.loads(send(url, "GET", f"/exports/{export_id}", headers=admin.headers).body)["status"] == "done")


def restart(machine: Machine, number: int, proxy: haproxy.HAProxy, load: Load) -> None:
    """Replace the processes of a machine by those of its tree."""
    machine.stop("worker")
    machine.start("worker")
    machine.running["web"].send_signal(signal.SIGTERM)
    proxy.wait_for(f"web{number}", "DOWN")
    machine.stop("events")
    machine.stop("web")
    load.wait_for_calls(CALLS)
    proxy.take_back(machine, number)
    load.wait_for_calls(CALLS)


def test_upgrade_from_an_earlier_commit_with_its_migrations_fails_no_call(
    bare_lab: Lab, database_url: str, earlier_tree: Path, tmp_path: Path
) -> None:
    next_tree = make_tree(tmp_path / "next", version=NEXT, asset=ADDED)
    machines = one, two = tuple(
        bare_lab.machine(name, DATABASE_URL=database_url, DRAIN_SECONDS="600", EVENTS_PORT=str(free_port()))
        for name in ("one", "two")
    )
    for machine in machines:
        machine.tree = earlier_tree
        machine.changes["WEB_URL"] = machine.url
    one.run("backend.launch.prepare")
    for machine in machines:
        for kind in ("web", "worker", "events"):
            machine.start(kind)
    proxy = haproxy.start(bare_lab, (one, two))
    with on_database(one.environ) as users:
        market = RequestMarket(users)
        market.professional()
        admin, customers = users.admin(), [users.customer() for _ in range(3)]
        before = ask(REVISION)
        assert before != revisions()[-1]
        exports = [start_export(proxy.url, admin)]
        with Load(proxy.url, customers, market.task_id) as load:
            load.wait_for_calls(CALLS)
            one.tree = two.tree = next_tree
            prepared = json.loads(one.run("backend.launch.prepare").splitlines()[-1])
            assert (prepared["migrated"], prepared["waiting"]) == (True, [])
            assert ask(REVISION) == revisions()[-1]
            load.wait_for_calls(CALLS)
            restart(one, 1, proxy, load)
            exports += [start_export(machine.url, admin) for machine in machines]  # by each of both versions
            restart(two, 2, proxy, load)
            assert wait_until(lambda: ask(VERSIONS) == NEXT)
            load.wait_for_calls(CALLS)
        for export_id in exports:
            assert wait_until(partial(is_done, proxy.url, admin, export_id))
        assert load.failed() == []
        assert load.refused() == []
        assert load.lost() == {}
        assert len(load.acknowledged) > 0
        assert ask(DEAD) == 0
