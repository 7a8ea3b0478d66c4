"""Real job processes for the tests of faults: workers and beats, killed and frozen by their ids."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import text

from backend.core.db.session import db
from backend.launch import processes
from tests.waiting import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[2]


class Crew:
    """The processes that a test started."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._environ = {**os.environ, **environ, "LOG_LEVEL": "warning", "PYTHONUNBUFFERED": "1"}
        self._log = log
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, kind: str, **changes: str) -> subprocess.Popen[bytes]:
        """A worker or a beat with these settings."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "backend.worker", kind]
            env = {**self._environ, **changes}
            process = processes.spawn(command, env=env, output=log.fileno(), cwd=ROOT)
        self._started.append(process)
        return process

    def run(self, code: str, **changes: str) -> int:
        """A Python program to its end; returns its exit code."""
        done = subprocess.run(
            [sys.executable, "-c", code], env={**self._environ, **changes}, cwd=ROOT, check=False, timeout=HANG_SECONDS
        )
        return done.returncode

    def end(self) -> None:
        """Kill all of them, with their children."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            processes.kill_group(process)
            process.wait()
            if process.stdout:
                process.stdout.close()


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes of a worker in which jobs run."""
    found: list[psutil.Process] = psutil.Process(process.pid).children()
    return found


@contextmanager
def crew(environ: Mapping[str, str], folder: Path) -> Iterator[Crew]:
    """Job processes that end with the block; what they logged is shown when the test fails."""
    log = folder / "jobs.log"
    made = Crew({**environ, "DATA_DIR": str(folder)}, log)
    try:
        yield made
    finally:
        made.end()
        print(log.read_text(errors="replace")[-6000:] if log.exists() else "")


def until(question: str, *, seconds: float = HANG_SECONDS, **values: object) -> bool:
    """Ask the database until the answer is true, or the time is over."""

    def asked() -> bool:
        answer = db.session.execute(text(question), values).scalar_one()
        db.session.rollback()
        return bool(answer)

    return processes.wait_until(asked, seconds=seconds, pause=0.05)
