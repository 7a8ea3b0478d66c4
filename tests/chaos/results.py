"""The last results of chaos and soak runs, kept as pages."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.core.clock import now
from backend.launch import wheels
from backend.settings import ROOT, VERSION
from tests.chaos.checker import Breach
from tests.chaos.history import History
from tests.scale.lab import find_program


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results: its file, what stands above the table, and the table's columns."""

    path: Path
    head: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))


CHAOS: Final = Page(
    ROOT / "benchmarks" / "CHAOS.md",
    '# Chaos runs\nWritten by `make chaos ARGS="--keep"`; [how to run it](../docs/how-to/chaos-and-soak.md). '
    "Lost and doubled are acknowledged writes, notifications and mails; the longest outage is the longest time without "
    "a call that succeeded. A mail is repeated, under its Message-ID, when a worker or the database stops between the "
    "mail server's answer and COMMIT.",
    (
        *("seed", "minutes", "faults", "calls", "failed in faults", "writes", "lost", "doubled", "mails repeated"),
        *("other breaches", "longest outage", "longest call", "ready after"),
    ),
)


SOAK: Final = Page(
    ROOT / "benchmarks" / "SOAK.md",
    '# Soak run\nWritten by `make soak ARGS="--keep"`; [how to run it](../docs/how-to/chaos-and-soak.md). '
    "Values after the warm-up; the rise is by linear regression.",
    ("measure", "of", "first", "last", "highest", "rise", "limit of the rise"),
)
PROGRAMS: Final = ("haproxy", "pgbouncer")


def programs_are_there(command: str) -> bool:
    """Return whether the programs that a fleet needs are installed; say so if not."""
    missing = [name for name in PROGRAMS if find_program(name) is None]
    if missing:
        print(f"{command} needs {' and '.join(missing)}")
    return not missing


@dataclass
class Run:
    """What one chaos run found."""

    seed: int
    seconds: float
    history: History
    breaches: list[Breach]
    repeated_mails: int
    left_out: list[str]

    @property
    def verdict(self) -> str:
        return f"{len(self.breaches)} breaches" if self.breaches else "no breach"

    def row(self) -> tuple[str, ...]:
        """Return the run's row of the table."""
        history, kinds = self.history, [breach.kind for breach in self.breaches]
        written = {call.key for call in history.calls if call.is_acknowledged and call.key}
        lost, doubled = kinds.count("lost"), kinds.count("doubled")
        readies = [window.ready_after for window in history.windows if window.ready_after is not None]
        counts = (
            len(history.windows),
            len(history.calls),
            sum(call.has_failed for call in history.calls),
            len(written),
        )
        others = len(kinds) - lost - doubled
        times = (history.longest_outage(), history.longest_call(), max(readies, default=0))
        return (
            str(self.seed),
            f"{self.seconds / 60:.1f}",
            *(f"{count:,}" for count in (*counts, lost, doubled, self.repeated_mails, others)),
            *(f"{seconds:.1f} s" for seconds in times),
        )


def keep(page: Page, rows: Sequence[Sequence[str]], *notes: str) -> None:
    """Write a page with these rows, the machine, the versions and the date."""
    lines = [page.head, "", f"{now():%Y-%m-%d}, {machine()}. {versions()}.", "", _row(page.columns)]
    lines += [_row(["---"] * len(page.columns)), *(_row(row) for row in rows), ""]
    lines += [*notes, *([""] if notes else [])]
    page.path.write_text("\n".join(lines), encoding="utf-8")
    print(f"written: {page.name}")


def machine() -> str:
    """Return what the run stood on, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[2]
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} {platform.release()}, load {load:.1f}"


def versions() -> str:
    """Return the versions of everything that took part."""
    python = f"Doorstep {VERSION}, Python {platform.python_version()}"
    found = [_version(find_program(name), option) for name, option in (("haproxy", "-v"), ("pgbouncer", "--version"))]
    return ", ".join([python, *found, _version(str(wheels.valkey_server()), "--version")])


def _version(program: str | None, option: str) -> str:
    if program is None:
        return ""
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.splitlines()[0].split()[:3])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
