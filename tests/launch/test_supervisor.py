"""What dies is started again, later each time; what ends takes all its children with it."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend.launch import processes
from backend.launch.supervisor import Program, Supervisor

PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).wait()"


def program(folder: Path, code: str, *, patience: float = 5) -> Program:
    return Program("part", [sys.executable, "-c", code], dict(os.environ), folder / "part.log", patience=patience)


def test_a_part_that_dies_is_started_again_a_little_later_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(say=said.append)
    supervisor.add(program(tmp_path, "raise SystemExit(3)"))
    limit = time.monotonic() + 10
    while supervisor.failures() < 3 and time.monotonic() < limit:
        supervisor.look()
        time.sleep(0.02)
    supervisor.stop()
    assert [line.rsplit(" in ", 1)[1] for line in said] == ["0.5 s", "1 s", "2 s"]


def test_a_part_takes_its_children_with_it(tmp_path: Path) -> None:
    part = program(tmp_path, PARENT)
    part.start()
    assert part.process is not None
    leader = psutil.Process(part.process.pid)
    assert processes.wait_until(lambda: bool(leader.children()), seconds=10)
    child = leader.children()[0]
    part.stop()
    assert processes.wait_until(lambda: not child.is_running(), seconds=5)


def test_a_part_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    part = program(tmp_path, deaf, patience=0.3)
    part.start()
    assert processes.wait_until(lambda: "deaf" in part.log.read_text(), seconds=10)
    part.stop()
    assert not part.alive()


def test_leftovers_are_found_by_their_mark_only(tmp_path: Path) -> None:
    mark = str(tmp_path)
    for folder in (mark, mark + "-other"):
        (tmp_path / Path(folder).name).mkdir()
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = processes.spawn(argv, env={**os.environ, processes.MARK: mark})
    other = processes.spawn(argv, env={**os.environ, processes.MARK: mark + "-other"})
    try:
        assert processes.wait_until(lambda: len(processes.marked(mark)) == 1, seconds=5)
        assert processes.end_marked(mark) == 1
        assert other.poll() is None
    finally:
        processes.end(ours)
        processes.end(other)


def test_logs_do_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.launch.supervisor.LARGEST_LOG", 10)
    part = program(tmp_path, "pass")
    part.log.write_text("more than ten characters")
    part.start()
    part.stop()
    assert (tmp_path / "part.log.1").read_text() == "more than ten characters"
