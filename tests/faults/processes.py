"""Worker and beat processes for fault tests, killed and frozen by process id."""

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


class JobProcesses:
    """The job processes that a test started."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._environ = {**os.environ, **environ, "LOG_LEVEL": "warning", "PYTHONUNBUFFERED": "1"}
        self._log = log
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, kind: str, **changes: str) -> subprocess.Popen[bytes]:
        """Start a worker or a beat with these settings."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "backend.worker", kind]
            env = {**self._environ, **changes}
            process = processes.spawn(command, env=env, output=log.fileno(), cwd=ROOT)
        self._started.append(process)
        return process

    def run(self, code: str, **changes: str) -> int:
        """Run a Python program and return its exit code."""
        done = subprocess.run(
            [sys.executable, "-c", code], env={**self._environ, **changes}, cwd=ROOT, check=False, timeout=HANG_SECONDS
        )
        return done.returncode

    def end(self) -> None:
        """Kill all processes with their children."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            processes.kill_group(process)
            process.wait()
            if process.stdout:
                process.stdout.close()


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the child processes of a worker, in which jobs run."""
    found: list[psutil.Process] = psutil.Process(process.pid).children()
    return found


@contextmanager
def job_processes(environ: Mapping[str, str], folder: Path) -> Iterator[JobProcesses]:
    """Start job processes that end with the block; their log is printed, so pytest shows it on failure."""
    log = folder / "jobs.log"
    made = JobProcesses({**environ, "DATA_DIR": str(folder)}, log)
    try:
        yield made
    finally:
        made.end()
        print(log.read_text(errors="replace")[-6000:] if log.exists() else "")


def until(query: str, *, seconds: float = HANG_SECONDS, **values: object) -> bool:
    """Poll the database until the query returns true or the time is over; return whether it did."""

    def is_true() -> bool:
        answer = db.session.execute(text(query), values).scalar_one()
        db.session.rollback()
        return bool(answer)

    return processes.wait_until(is_true, seconds=seconds, pause=0.05)
