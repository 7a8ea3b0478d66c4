"""Counters of processes that ended: kept while another process of the machine counts, gone when all have ended."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from backend.core.observability import metrics
from backend.launch.start import Launch
from backend.launch.supervisor import Supervisor
from backend.settings import ROOT, Settings
from tests.launch.product import clean_environment
from tests.waiting import HANG_SECONDS

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


def files_after(code: str, data: Path) -> list[str]:
    """The files of figures that a program of its own leaves in a fresh DATA_DIR."""
    environment = clean_environment(ENV="test", SECRET_KEY="only-for-tests-" * 4, DATA_DIR=str(data))
    subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, timeout=HANG_SECONDS, capture_output=True
    )
    return sorted(path.name.split("_")[0] for path in data.glob("run/metrics/*.db"))


def test_a_command_that_serves_nothing_leaves_no_files(tmp_path: Path) -> None:
    command = "from backend.app import create_app; create_app().test_cli_runner().invoke(args=['lifecycle'])"
    assert files_after(command, tmp_path / "command") == []
    assert files_after("import backend.wsgi", tmp_path / "web") == ["counter", "gauge", "histogram"]


def test_a_start_of_the_whole_product_begins_with_no_figures(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "metrics"
    folder.mkdir(parents=True)
    files = [counter_of(folder, os.getpid()), counter_of(folder, 1, host="an-earlier-container")]
    Launch(settings=replace(Settings(), data_dir=tmp_path), supervisor=Supervisor(say=print)).end_leftovers()
    assert [path.exists() for path in files] == [False, False]
