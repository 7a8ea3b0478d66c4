"""Machines on loopback: each has its own folder, name and ports; database, Valkey and stores are shared."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from backend.launch import processes
from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale import history
from tests.waiting import HANG_SECONDS, wait_until

MODULES: Final = {
    "web": ["backend.wsgi"],
    "worker": ["backend.worker", "worker"],
    "beat": ["backend.worker", "beat"],
    "events": ["backend.events"],
}
NORMAL: Final = ("DB_STATEMENT_TIMEOUT_MS", "DB_LOCK_TIMEOUT_MS", "DB_POOL_TIMEOUT_SECONDS")
NAMESPACES: Final = "network namespaces"  # in place of a program's name
HISTORY: Final = "the project's history"  # the same
SYSTEM_PATH: Final = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def find_program(name: str) -> str | None:
    """Return the path of a program of this machine."""
    return shutil.which(name, path=SYSTEM_PATH)


def is_installed(requirement: str) -> bool:
    """Return whether this machine has a program, in a version if the requirement says so: ``pgbouncer>=1.21``."""
    if requirement == NAMESPACES:
        from tests.scale import namespaces  # which imports this module

        return namespaces.are_possible()
    if requirement == HISTORY:
        return history.commit_before(history.MIGRATION) is not None
    name, _, wanted = requirement.partition(">=")
    program = find_program(name)
    if program is None or not wanted:
        return program is not None
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", shown)
    return found is not None and [*map(int, found[0].split("."))] >= [*map(int, wanted.split("."))]


@dataclass
class Machine:
    """One machine: a name, a folder, and the processes that run on it, from the sources in ``tree``."""

    lab: "Lab"
    name: str
    port: int
    folder: Path
    changes: dict[str, str]
    tree: Path = ROOT
    prefix: tuple[str, ...] = ()  # of its commands: what puts them into a namespace
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the settings of this machine."""
        own = {"MACHINE_NAME": self.name, "DATA_DIR": str(self.folder), "PORT": str(self.port)}
        return {**self.lab.environ, **own, **self.changes}

    def start(self, kind: str, **changes: str) -> subprocess.Popen[bytes]:
        """Start a process; a web server, or one of live updates, is waited for until it responds."""
        self.changes |= changes
        environ = {**self.environ}
        command = [*self.prefix, sys.executable, "-m", *MODULES[kind]]
        process = self.lab.spawn(f"{self.name}-{kind}", command, environ, folder=self.tree)
        self.running[kind] = process
        port = {"web": self.port, "events": environ.get("EVENTS_PORT")}.get(kind)
        if port is not None:
            self.lab.wait_for(process, lambda: get(f"http://127.0.0.1:{port}/healthz")[0] == 200)
        return process

    def stop(self, kind: str, *signals: signal.Signals) -> None:
        """Send the signals, SIGTERM by default, and wait until the process has exited."""
        process = self.running.pop(kind)
        for number in signals or (signal.SIGTERM,):
            process.send_signal(number)
        process.wait(timeout=HANG_SECONDS)

    def run(self, *command: str) -> str:
        """Run a command with the machine's settings, and return its output."""
        environ = {"PATH": "/usr/bin:/bin", **self.environ}
        done = subprocess.run(
            [sys.executable, "-m", *command], env=environ, cwd=self.tree, capture_output=True, text=True,
            timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


class Lab:
    """The machines of one test, and the programs in front of them. All processes end with it."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        stores = {f"{name}_STORE_URL": f"file://{folder / 'shared' / name.lower()}s" for name in ("DOCUMENT", "EXPORT")}
        self.environ = {
            **environ,
            **dict.fromkeys(NORMAL, ""),
            **stores,
            "PUBLIC_URL": f"http://127.0.0.1:{free_port()}",
            "TRUSTED_PROXIES": "127.0.0.1",
            "WEB_WORKERS": "1",
            "WEB_THREADS": "8",
            "DB_POOL_SIZE": "8",
            "DB_READ_POOL_SIZE": "4",
            "WORKER_CONCURRENCY": "1",
            "LOG_LEVEL": "info",
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def machine(self, name: str, **changes: str) -> Machine:
        """Return a machine, on which nothing runs yet."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return Machine(self, name, free_port(), folder, changes)

    def spawn(
        self,
        name: str,
        argv: list[str],
        environ: Mapping[str, str],
        *,
        user: int | None = None,
        folder: Path = ROOT,
    ) -> subprocess.Popen[bytes]:
        """Start a program whose output goes to a log of this name."""
        base = {"PATH": SYSTEM_PATH, "HOME": str(self.folder), "PYTHONUNBUFFERED": "1", "LC_ALL": "C"}
        with self._log_path(name).open("ab") as log:
            cwd = folder if user is None else Path("/")
            made = processes.spawn(argv, env={**base, **environ}, output=log.fileno(), cwd=cwd, user=user)
        self._started.append(made)
        return made

    @staticmethod
    def wait_for(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
        """Wait for a condition that a running process brings about."""
        assert wait_until(lambda: process.poll() is not None or condition())
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"

    def end(self, *, shown: int = 3000) -> None:
        """Kill everything that was started, and print the end of what it wrote, which pytest shows after a failure."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            processes.kill_group(process)
            process.wait()
        for path in sorted(self.folder.glob("*.log")) if shown else ():
            print(f"--- {path.name}\n{path.read_text(errors='replace')[-shown:]}")

    def _log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def get(url: str, *, seconds: float = 10.0) -> tuple[int, bytes]:
    """Return status and body; status 0 without a response."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def needs(*programs: str) -> pytest.MarkDecorator:
    """Mark tests that are left out, with one line that says so, where a program is not installed."""
    return pytest.mark.needs(*programs)
