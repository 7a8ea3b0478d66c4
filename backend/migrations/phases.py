"""Which migrations run while processes of an earlier version are still there.

An expand revision is safe while the version before runs. A contract revision removes what that version still uses: its
``since`` names the first version that does without, and it waits until no older process is left.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from backend.core.observability.process_reports import exists
from backend.migrations import FOLDER

THERE: Final = text("SELECT to_regclass('processes') IS NOT NULL")
PROCESSES: Final = text("SELECT kind, machine, pid, version FROM processes ORDER BY machine, kind, pid")


class Contract(StrEnum):
    """Whether contract revisions run: when the table of processes allows it, never, or always."""

    SAFE = "safe"
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Step:
    """A revision; ``since`` is None in the expand phase."""

    revision: str
    since: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """A process that reported itself."""

    label: str
    version: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``target``: the revision to migrate to, None for nothing. ``waiting``: contract revisions left for later.

    ``missing``: revisions that this version needs and that come after one that waits; ``older``: what it waits for.
    """

    target: str | None
    waiting: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


def steps_after(revision: str | None) -> list[Step]:
    """Return the revisions that a database at this one lacks, in order; none if it is newer than this code."""
    script = ScriptDirectory(str(FOLDER))
    known = [found.revision for found in script.walk_revisions()]
    if revision is not None and revision not in known:
        return []
    found = list(script.iterate_revisions("head", revision or "base"))
    return [Step(one.revision, _since(one.module)) for one in reversed(found)]


def plan(steps: Iterable[Step], running: Iterable[Running], contract: Contract) -> Plan:
    """Decide how far to migrate: up to the first contract revision that has to wait."""
    steps, running = list(steps), list(running)
    for number, step in enumerate(steps):
        older = () if step.since is None else tuple(_older(running, step.since))
        if step.since is None or contract is Contract.ALWAYS or (contract is Contract.SAFE and not older):
            continue
        rest = steps[number:]
        return Plan(
            steps[number - 1].revision if number else None,
            tuple(one.revision for one in rest if one.since is not None),
            tuple(one.revision for one in rest if one.since is None),
            older,
        )
    return Plan(steps[-1].revision if steps else None)


def running_processes(connection: Connection, *, machine: str) -> list[Running]:
    """Return the processes of all machines, silent ones too, without those of this machine that were killed."""
    if not connection.execute(THERE).scalar_one():
        return []
    return [
        Running(f"{kind} {pid} on {where} (version {version})", version)
        for kind, where, pid, version in connection.execute(PROCESSES)
        if where != machine or exists(pid)
    ]


def version_key(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, by which versions are ordered."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _older(running: Iterable[Running], since: str) -> list[str]:
    return [process.label for process in running if version_key(process.version) < version_key(since)]


def _since(module: object) -> str | None:
    """Return what a revision's file says; revisions from before the phases are expand revisions."""
    if getattr(module, "phase", "expand") == "expand":
        return None
    since = getattr(module, "since", None)
    if not isinstance(since, str):
        raise TypeError(f'{module} is a contract revision and needs since = "...", a version')
    return since
