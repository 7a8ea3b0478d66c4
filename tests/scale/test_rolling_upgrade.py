"""Two web machines and their workers are upgraded to a version with migrations, one after the other, under load."""

import json
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from backend.migrations import revisions
from backend.settings import ROOT, VERSION
from tests.factories.requests import RequestMarket
from tests.factories.servers import free_port
from tests.scale import haproxy
from tests.scale.follower import Follower
from tests.scale.lab import Lab, get, needs
from tests.scale.load import Load
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = needs("haproxy")
CALLS: Final = 40  # before, between and after the restarts
NEXT: Final = "99.0.0"
GONE, ADDED = "gone-0000.js", "added-1111.js"
EXPAND: Final = f'''"""Add a column, a constraint and an index to the largest table."""

from alembic import op

from backend.migrations import operations

revision, down_revision, branch_labels, depends_on = "9001", "{revisions()[-1]}", None, None
phase = "expand"


def upgrade() -> None:
    op.execute("ALTER TABLE task_requests ADD COLUMN IF NOT EXISTS note_of_next text DEFAULT 'new'")
    operations.add_constraint("ck_task_requests_next", "task_requests", "CHECK (note_of_next <> '')")
    operations.create_index("ix_task_requests_next", "task_requests", "(note_of_next, id)")
'''
CONTRACT: Final = f'''"""Remove what only the version before used."""

from alembic import op

revision, down_revision, branch_labels, depends_on = "9002", "9001", None, None
phase = "contract"
since = "{NEXT}"


def upgrade() -> None:
    op.execute("ALTER TABLE task_requests DROP COLUMN note_of_next")
'''
DROPPED: Final = "ALTER TABLE task_requests DROP COLUMN IF EXISTS note_of_next"
UNDONE: Final = "UPDATE alembic_version SET version_num = :revision"
REVISION: Final = "SELECT version_num FROM alembic_version"
DEAD: Final = "SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL"
VERSIONS: Final = "SELECT string_agg(DISTINCT version, ',') FROM processes"


def make_tree(folder: Path, *, version: str, asset: str) -> Path:
    """Copy the sources, with another version, and a build that has one file of its own."""
    shutil.copytree(ROOT / "backend", folder / "backend")  # with compiled files, which are valid for equal times
    shutil.copy2(ROOT / "openapi.json", folder)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changed = re.sub(rf'(?m)^version = "{VERSION}"$', f'version = "{version}"', project)
    assert version == VERSION or changed != project
    (folder / "pyproject.toml").write_text(changed, encoding="utf-8")
    assets = folder / "frontend" / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets / asset).write_text(f"export const build = {version!r}\n")
    return folder


@pytest.fixture
def next_tree(tmp_path: Path) -> Iterator[Path]:
    """Return the sources of the next version, with two migrations; the database is as before afterwards."""
    folder = make_tree(tmp_path / "next", version=NEXT, asset=ADDED)
    for name, source in (("9001_next.py", EXPAND), ("9002_next.py", CONTRACT)):
        (folder / "backend" / "migrations" / "versions" / name).write_text(source)
    yield folder
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text(DROPPED))
        connection.execute(text(UNDONE), {"revision": revisions()[-1]})


@contextmanager
def loading(url: str, name: str) -> Iterator[Counter[int]]:
    """Ask for a file of the application again and again; count the statuses."""
    ends, found = threading.Event(), Counter[int]()

    def ask() -> None:
        while not ends.wait(0.05):
            found[get(f"{url}/app/assets/{name}")[0]] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        ends.set()
        thread.join(HANG_SECONDS)


def ask(query: str) -> object:
    db.session.rollback()
    found: object = db.session.execute(text(query)).scalar_one()
    db.session.rollback()
    return found


def test_rolling_upgrade_with_migrations_fails_no_call_and_loses_no_write(
    lab: Lab, market: RequestMarket, next_tree: Path, tmp_path: Path
) -> None:
    old_tree = make_tree(tmp_path / "old", version=VERSION, asset=GONE)
    one, two = machines = tuple(
        lab.machine(name, DRAIN_SECONDS="600", EVENTS_PORT=str(free_port())) for name in ("one", "two")
    )
    market.professional()
    for machine in machines:
        machine.tree = old_tree
        machine.changes["WEB_URL"] = machine.url
    machines[0].run("backend.launch.prepare")
    for machine in machines:
        for kind in ("web", "worker", "events"):
            machine.start(kind)
    proxy = haproxy.start(lab, (one, two))
    for name in ("events1", "events2"):
        proxy.wait_for(name, "UP")
    customers = [market.users.customer() for _ in range(3)]
    page = Follower(proxy.url, customers[0])
    with page:
        with Load(proxy.url, customers, market.task_id) as load, loading(proxy.url, GONE) as gone:
            load.wait_for_calls(CALLS)
            machines[0].tree = next_tree
            prepared = json.loads(machines[0].run("backend.launch.prepare").splitlines()[-1])
            assert (prepared["migrated"], prepared["waiting"], ask(REVISION)) == (True, ["9002"], "9001")
            load.wait_for_calls(CALLS)
            with loading(proxy.url, ADDED) as added:
                for number, machine in enumerate(machines, start=1):
                    machine.tree = next_tree
                    machine.stop("worker")
                    machine.start("worker")
                    machine.running["web"].send_signal(signal.SIGTERM)
                    proxy.wait_for(f"web{number}", "DOWN")
                    machine.stop("events")
                    machine.stop("web")
                    load.wait_for_calls(CALLS)
                    proxy.take_back(machine, number)
                    load.wait_for_calls(CALLS)
            assert wait_until(lambda: ask(VERSIONS) == NEXT)
            prepared = json.loads(machines[0].run("backend.launch.prepare").splitlines()[-1])
            assert (prepared["waiting"], ask(REVISION)) == ([], "9002")
            load.wait_for_calls(CALLS)
        page.require_all_changes()
    assert page.streams > 1
    assert load.failed() == []
    assert load.refused() == []
    assert load.lost() == {}
    assert len(load.acknowledged) > 0
    assert (set(gone), set(added)) == ({200}, {200})
    assert ask(DEAD) == 0
