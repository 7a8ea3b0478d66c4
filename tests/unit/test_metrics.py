"""Counters of processes that ended: kept while another process of the machine counts, gone when all have ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

from backend.core import metrics

ENDED = 2**22 + 1  # beyond the largest process id there is


def counter_of(folder: Path, pid: int, *, host: str = metrics.HOST) -> Path:
    path = folder / f"counter_{host}-{pid}.db"
    path.write_bytes(b"figures")
    return path


def test_a_process_that_ended_keeps_its_counts_while_another_lives(tmp_path: Path) -> None:
    ended, alive = counter_of(tmp_path, ENDED), counter_of(tmp_path, os.getpid())
    metrics._begin_afresh(tmp_path)
    assert (ended.exists(), alive.exists()) == (True, True)


def test_all_counters_begin_together_once_all_have_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    files = [counter_of(tmp_path, ENDED), counter_of(tmp_path, process.pid)]
    metrics._begin_afresh(tmp_path)
    assert [path.exists() for path in files] == [False, False]


def test_figures_of_machines_that_are_gone_go_after_a_week(tmp_path: Path) -> None:
    fresh, old = counter_of(tmp_path, 1, host="fresh"), counter_of(tmp_path, 1, host="old")
    before = time.time() - 8 * 86400
    os.utime(old, (before, before))
    metrics._begin_afresh(tmp_path)
    assert (fresh.exists(), old.exists()) == (True, False)
