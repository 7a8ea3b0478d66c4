"""`make upgrade` replaces one machine's processes under load, in place; one that does not work changes nothing."""

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest
from sqlalchemy import text

from backend.core.db.session import db
from backend.launch import processes
from backend.launch.readiness import is_ready
from backend.migrations import revisions
from backend.settings import VERSION
from tests.factories.requests import RequestMarket
from tests.scale.follower import Follower
from tests.scale.lab import Lab, Machine, get
from tests.scale.load import Load
from tests.scale.test_rolling_upgrade import (
    ADDED,
    CONTRACT,
    DEAD,
    DROPPED,
    EXPAND,
    GONE,
    NEXT,
    REVISION,
    UNDONE,
    VERSIONS,
    ask,
    make_tree,
)  # fmt: skip
from tests.waiting import HANG_SECONDS, wait_until

CALLS: Final = 40
PACKAGE: Final = {"name": "web", "version": "1.0.0"}
PROJECT: Final = {**PACKAGE, "scripts": {"build": "node build.mjs"}}
LOCKED: Final = {**PACKAGE, "lockfileVersion": 3, "packages": {"": PACKAGE}}
# Empties its folder first, as Vite does.
BUILD: Final = """
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
rmSync('dist', { recursive: true, force: true })
for (const folder of ['dist/assets', 'dist/pages']) mkdirSync(folder, { recursive: true })
writeFileSync('dist/index.html', '')
writeFileSync('dist/assets/%(asset)s', 'export const build = "%(asset)s"')
const page = { scripts: [], styles: [] }
writeFileSync('dist/pages/manifest.json', JSON.stringify({ 'empty.en': page, 'empty.hi': page }))
for (const language of ['en', 'hi'])
  writeFileSync(`dist/pages/empty.${language}.html`, '<script src="/app/assets/%(asset)s"></script>')
"""
BROKEN: Final = "\nraise RuntimeError('this version does not work')\n"
PROGRAMS: Final = {"web", "worker", "beat", "events"}


class Visitors:
    """Visitors who open a page and load the file that it names, and one who opened the page long ago."""

    def __init__(self, url: str) -> None:
        self.files: Counter[str] = Counter()
        self.failed: list[tuple[str, int]] = []
        self._url, self._ends = url, threading.Event()

    @contextmanager
    def visiting(self) -> Iterator[None]:
        thread = threading.Thread(target=self._visit)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join(HANG_SECONDS)

    def _visit(self) -> None:
        while not self._ends.wait(0.05):
            page = self._open("/app/tasks")
            self._open(f"/app/assets/{GONE}")
            if named := re.search(r"/app/assets/([\w.-]+)", page):
                self._open(named[0])
                self.files[named[1]] += 1

    def _open(self, path: str) -> str:
        status, body = get(f"{self._url}{path}")
        if status != 200:
            self.failed.append((path, status))
        return body.decode()


def write_frontend(tree: Path, asset: str) -> None:
    """Write a web application of one file, whose build takes no time."""
    folder = tree / "frontend"
    (folder / "package.json").write_text(json.dumps(PROJECT))
    (folder / "package-lock.json").write_text(json.dumps(LOCKED))
    (folder / "build.mjs").write_text(BUILD % {"asset": asset})


def pull(tree: Path) -> None:
    """Change the sources to the next version, which has two migrations and another file, under running processes."""
    project = tree / "pyproject.toml"
    project.write_text(project.read_text().replace(f'version = "{VERSION}"', f'version = "{NEXT}"'))
    for name, source in (("9001_next.py", EXPAND), ("9002_next.py", CONTRACT)):
        (tree / "backend" / "migrations" / "versions" / name).write_text(source)
    write_frontend(tree, ADDED)


@pytest.fixture
def machine(lab: Lab, tmp_path: Path) -> Iterator[Machine]:
    """Return a machine for `make run`; afterwards none of its processes is left, and the database is as before."""
    made = lab.machine("one", DRAIN_SECONDS="600", WEB_WORKERS="2", DB_POOL_SIZE="4")
    made.changes["PUBLIC_URL"] = made.url
    made.tree = make_tree(tmp_path / "tree", version=VERSION, asset=GONE)
    write_frontend(made.tree, GONE)
    yield made
    lab.end()
    processes.end_marked(str(made.folder), patience=1)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text(DROPPED))
        connection.execute(text(UNDONE), {"revision": revisions()[-1]})


def upgrade(machine: Machine) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "backend.launch.upgrade"], env={"PATH": "/usr/bin:/bin", **machine.environ},
        cwd=machine.tree, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip


def programs(launcher: int) -> dict[str, int]:
    """Return the process id of each program of the launcher."""
    found = {}
    for child in psutil.Process(launcher).children():
        for name, module in (("web", "backend.wsgi"), ("events", "backend.events")):
            if module in child.cmdline():
                found[name] = child.pid
        if "backend.worker" in child.cmdline():
            found[child.cmdline()[-1]] = child.pid
    return found


def test_upgrade_under_load_fails_no_call_and_broken_version_changes_nothing(
    lab: Lab, market: RequestMarket, machine: Machine
) -> None:
    market.professional()
    launcher = lab.spawn("launcher", [sys.executable, "-m", "backend.launch"], machine.environ, folder=machine.tree)
    lab.wait_for(launcher, lambda: is_ready(f"{machine.url}/readyz"))
    lab.wait_for(launcher, (machine.folder / "run" / "launcher.json").exists)
    first = programs(launcher.pid)
    assert set(first) == PROGRAMS
    customers = [market.users.customer() for _ in range(3)]
    visitors = Visitors(machine.url)
    new_each_time = Load(machine.url, customers, market.task_id, readers=2)
    kept = Load(machine.url, customers, market.task_id, readers=2, keeps=True)
    with Follower(machine.url, customers[0]) as page:
        with new_each_time, kept, visitors.visiting():
            kept.wait_for_calls(CALLS)
            pull(machine.tree)
            server = machine.tree / "backend" / "wsgi.py"
            good = server.read_text()
            server.write_text(good + BROKEN)
            stopped = upgrade(machine)
            assert (stopped.returncode, programs(launcher.pid)) == (1, first), stopped.stdout + stopped.stderr
            assert "The new web process does not work: it ended" in stopped.stderr
            assert f"web of version {VERSION} goes on" in stopped.stderr
            assert ask(REVISION) == "9001"
            server.write_text(good)
            kept.wait_for_calls(CALLS)
            done = upgrade(machine)
            assert done.returncode == 0, done.stdout + done.stderr
            second = programs(launcher.pid)
            assert set(second) == PROGRAMS
            assert not set(second.values()) & set(first.values())
            assert wait_until(lambda: visitors.files[ADDED] > 0)
            kept.wait_for_calls(CALLS)
            new_each_time.wait_for_calls(CALLS)
        page.require_all_changes()
    assert page.streams > 1
    assert (ask(REVISION), ask(VERSIONS), ask(DEAD)) == ("9002", NEXT, 0)
    assert visitors.failed == []
    for load in (new_each_time, kept):
        assert (load.failed(), load.refused(), load.lost()) == ([], [], {})
        assert len(load.acknowledged) > 0
    assert visitors.files[GONE] > 0
