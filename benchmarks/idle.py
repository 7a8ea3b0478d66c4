"""What an idle `make run` costs: processor time and memory of all its processes, the embedded servers included.

Resident memory counts a page once for each process that has it, proportional set size (PSS) once in all. Processor time
is read from the scheduler in nanoseconds: an idle process uses less in a minute than a clock tick of ten milliseconds.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import psutil

from backend.launch.private_files import free_port
from backend.launch.processes import end, spawn, wait_until
from backend.launch.readiness import is_ready
from benchmarks.figures import Figure

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 180.0
SETTLE_SECONDS: Final = 60.0  # connections that the start needed are closed by then
SECONDS: Final = 120.0  # housekeeping runs once a minute
MEBIBYTE: Final = 2**20


class Cost(NamedTuple):
    """One process: percent of a core, resident memory and proportional set size in MiB."""

    pid: int
    name: str
    percent: float
    resident: float
    proportional: float


def measure() -> Iterable[Figure]:
    """Start the product in a new folder, stop it, start it again as on any other day, and measure."""
    with TemporaryDirectory(prefix="doorstep-idle-") as folder:
        _start(folder, seconds=None)
        costs = _start(folder, seconds=SECONDS)
    for cost in sorted(costs, key=lambda cost: -cost.resident):
        print(f"  {cost.percent:6.3f} % {cost.resident:7.1f} {cost.proportional:7.1f} MiB  {cost.name}")
    note = f"{len(costs)} processes, {SECONDS:.0f} s, a minute after the second start"
    percent = sum(cost.percent for cost in costs)
    resident, proportional = sum(cost.resident for cost in costs), sum(cost.proportional for cost in costs)
    yield Figure("idle `make run`: of a core", percent, None, None, 1, "%", at_most=True, note=note)
    shared = f"{note}; {proportional:,.0f} MiB with shared pages counted once"
    yield Figure("idle `make run`: resident memory", resident, None, None, 819, "MiB", at_most=True, note=shared)


def _start(folder: str, *, seconds: float | None) -> list[Cost]:
    port = free_port(None)
    env = {**os.environ, "DATA_DIR": folder, "PORT": str(port)}
    command = [sys.executable, "-m", "backend.launch"]
    product = spawn(command, env=env, output=subprocess.DEVNULL, cwd=ROOT)
    try:
        if not wait_until(lambda: is_ready(f"http://127.0.0.1:{port}/readyz"), seconds=START_SECONDS, pause=0.5):
            raise SystemExit("the product was not ready in time")
        if seconds is None:
            return []
        time.sleep(SETTLE_SECONDS)
        return _costs(psutil.Process(product.pid), seconds)
    finally:
        end(product, patience=60)


def _costs(product: psutil.Process, seconds: float) -> list[Cost]:
    """Measure the processes that live all the time; a process that starts meanwhile is left out."""
    before = {process.pid: _used(process.pid) for process in [product, *product.children(recursive=True)]}
    time.sleep(seconds)
    costs = []
    for pid, used in before.items():
        try:
            percent = 100 * (_used(pid) - used) / seconds
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            name = " ".join(psutil.Process(pid).cmdline())[-70:]
        except (OSError, psutil.Error):  # it ended
            continue
        costs.append(Cost(pid, name, percent, _mebibytes(rollup, "Rss"), _mebibytes(rollup, "Pss")))
    return costs


def _used(pid: int) -> float:
    """Return the processor time of all threads in seconds; the first number of schedstat is in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


def _mebibytes(rollup: str, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1024 / MEBIBYTE if found else 0.0
