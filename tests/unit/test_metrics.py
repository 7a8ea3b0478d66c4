"""Metric files of ended processes: added up while another process counts, removed when all have ended."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.observability import metric_files
from backend.launch.start import Launch
from backend.launch.supervisor import Supervisor
from backend.settings import ROOT, Settings
from tests.launch.product import clean_environment
from tests.waiting import HANG_SECONDS

ENDED = 2**22 + 1  # beyond the largest process id
# Counts by commands on stdin and prints the metrics. Its host name is an argument, as that of a container.
COUNTING = """
import socket, sys
host = sys.argv[1]
socket.gethostname = lambda: host
from backend.core.observability import metrics
from backend.settings import Settings
metrics.begin(Settings.from_env())
for line in sys.stdin:
    if line.strip() == "show":
        print(metrics.exposition().decode() + "# end", flush=True)
    else:
        for _ in range(int(line)):
            metrics.job_done(topic="a", outcome="done", seconds=0.02)
        metrics.bodies_waiting(int(line))
        print("counted", flush=True)
"""


class Counting:
    """A process that counts jobs."""

    def __init__(self, data: Path, host: str) -> None:
        environment = clean_environment(ENV="test", SECRET_KEY="only-for-tests-" * 4, DATA_DIR=str(data))
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNTING, host],
            env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def count(self, number: int) -> None:
        self._say(str(number))
        assert self._line() == "counted"

    def shown(self) -> dict[str, float]:
        """Return the served counts of jobs and of waiting bodies."""
        self._say("show")
        text = "".join(f"{line}\n" for line in iter(self._line, "# end"))
        names = ("jobs_run_total", "job_seconds_count", "bodies_waiting")
        found = {name: re.search(rf"^{name}(?:\{{.*\}})? (.*)$", text, re.MULTILINE) for name in names}
        return {name: float(match[1]) for name, match in found.items() if match}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=30)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the program ended"
        return line.rstrip("\n")


Start = Callable[[str], Counting]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a counting process with this host name."""
    programs: list[Counting] = []

    def run(host: str) -> Counting:
        programs.append(Counting(tmp_path, host))
        return programs[-1]

    yield run
    for program in programs:
        if program.process.poll() is None:
            program.kill()


def files(data: Path) -> set[str]:
    return {path.name for path in data.glob("run/metrics/*.db")}


@pytest.mark.parametrize("host", ["web", "an-earlier-container"])
def test_metrics_of_killed_process_are_kept_while_another_counts(start: Start, tmp_path: Path, host: str) -> None:
    staying, killed = start("web"), start(host)
    staying.count(2)
    killed.count(3)
    assert staying.shown() == {"jobs_run_total": 5, "job_seconds_count": 5, "bodies_waiting": 5}
    killed.kill()
    for _ in range(2):
        shown = staying.shown()
        assert shown == {"jobs_run_total": 5, "job_seconds_count": 5, "bodies_waiting": 2}, (
            "the killed process no longer counts as waiting"
        )
    assert not [name for name in files(tmp_path) if str(killed.process.pid) in name], "its files are removed"
    assert {"counter_ended.db", "histogram_ended.db"} < files(tmp_path)
    another = start(host)
    another.count(4)
    another.kill()
    assert staying.shown()["jobs_run_total"] == 9, "counts of the next process are added"


def test_metric_files_do_not_accumulate_without_scrapes(start: Start, tmp_path: Path) -> None:
    staying = start("web")
    staying.count(1)
    for number in range(3):
        gone = start(f"container-{number}")
        gone.count(1)
        gone.kill()
    last = start("container-3")
    last.count(1)
    assert len(files(tmp_path)) == 2 * 3 + 2
    assert last.shown()["jobs_run_total"] == 5


def test_metrics_start_from_zero_after_all_processes_ended(start: Start, tmp_path: Path) -> None:
    for host in ("web", "worker"):
        first = start(host)
        first.count(3)
        first.kill()
    fresh = start("web")
    fresh.count(1)
    assert fresh.shown() == {"jobs_run_total": 1, "job_seconds_count": 1, "bodies_waiting": 1}
    assert len(files(tmp_path)) == 3


@pytest.mark.parametrize("content", [b"", b"metrics", b"\0" * 4096, b"\xff" * 64])
def test_metric_file_that_is_unreadable_is_dropped(start: Start, tmp_path: Path, content: bytes) -> None:
    staying = start("web")
    staying.count(2)
    folder = tmp_path / "run" / "metrics"
    for kind in ("counter", "histogram", "gauge_livesum"):
        (folder / f"{kind}_gone-{ENDED}.db").write_bytes(content)
    assert staying.shown() == {"jobs_run_total": 2, "job_seconds_count": 2, "bodies_waiting": 2}
    assert not [name for name in files(tmp_path) if "gone" in name]


def test_metric_files_of_forked_process_are_separate(tmp_path: Path) -> None:
    ours = metric_files.begin_process(tmp_path)
    ready, tell = os.pipe()
    go, let_go = os.pipe()
    child = os.fork()
    if child == 0:
        metric_files.begin_process(tmp_path)
        os.write(tell, b"x")
        os.close(let_go)
        os.read(go, 1)
        os._exit(0)
    try:
        assert os.read(ready, 1) == b"x"
        theirs = f"{metric_files.HOST}-{child}"
        with metric_files.locked(tmp_path):
            metric_files.add_up_ended(tmp_path)
        assert {path.name for path in tmp_path.glob("counter_*")} == {f"counter_{name}.db" for name in (ours, theirs)}
    finally:
        os.close(let_go)
        os.waitpid(child, 0)
        for one in (ready, tell, go):
            os.close(one)
    with metric_files.locked(tmp_path):
        metric_files.add_up_ended(tmp_path)
    assert {path.name for path in tmp_path.glob("counter_*")} == {f"counter_{ours}.db", "counter_ended.db"}


def files_after(code: str, data: Path) -> list[str]:
    """Return the kinds of metric files that a separate program leaves in a new DATA_DIR."""
    environment = clean_environment(ENV="test", SECRET_KEY="only-for-tests-" * 4, DATA_DIR=str(data))
    subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, timeout=HANG_SECONDS, capture_output=True
    )
    return sorted(path.name.split("_")[0] for path in data.glob("run/metrics/*.db"))


def test_command_without_metrics_server_leaves_no_metric_files(tmp_path: Path) -> None:
    command = "from backend.app import create_app; create_app().test_cli_runner().invoke(args=['lifecycle'])"
    assert files_after(command, tmp_path / "command") == []
    assert files_after("import backend.wsgi", tmp_path / "web") == ["counter", "gauge", "histogram"]


def test_launch_removes_metric_files_of_earlier_start(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "metrics"
    folder.mkdir(parents=True)
    left = [folder / f"counter_{name}.db" for name in (f"{metric_files.HOST}-{os.getpid()}", "an-earlier-container-1")]
    for path in left:
        path.write_bytes(b"metrics")
    Launch(settings=replace(Settings(), data_dir=tmp_path), supervisor=Supervisor(say=print)).end_leftovers()
    assert [path.exists() for path in left] == [False, False]
