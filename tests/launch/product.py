"""Starts the product as `make run` does, in a separate folder and on a free port."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from backend.launch import processes
from backend.launch.postgres import EmbeddedPostgres
from backend.launch.private_files import free_port
from backend.launch.readiness import is_ready
from backend.settings import ROOT, describe
from tests.factories.clusters import UNSAFE, start_copy
from tests.waiting import HANG_SECONDS, wait_until


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this machine's environment without settings of Doorstep, and with the given ones."""
    own = {row.name for row in describe()} | {"MAKELEVEL", processes.MARK}
    return {**{name: value for name, value in os.environ.items() if name not in own}, **settings}


@dataclass
class Product:
    """One installation under `folder`."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port(None))
    process: "subprocess.Popen[bytes] | None" = None
    module: str = "backend.launch"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def prepare(self) -> None:
        """Put a database with all migrations and places in place, for tests that are not about the first start."""
        server = EmbeddedPostgres(self.data, parameters=UNSAFE)
        start_copy(server)
        server.stop()

    def start(self) -> None:
        """Start and wait until ready."""
        self.launch()
        assert wait_until(lambda: self.ready() or self.ended()), self.diagnostics()
        assert not self.ended(), self.diagnostics()

    def launch(self) -> "subprocess.Popen[bytes]":
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {"PORT": str(self.port), "DATA_DIR": str(self.data), "ADMIN_PASSWORD": "a password of tests"}
        environment = clean_environment(**{**own, **self.settings})
        with (self.folder / "output.txt").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module], env=environment, cwd=ROOT, stdout=output, stderr=output
            )
        return self.process

    def ready(self) -> bool:
        return is_ready(self.url("/readyz"))

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(by)
        return self.process.wait(timeout=HANG_SECONDS)

    def destroy(self) -> None:
        """End remaining processes and remove the database."""
        if self.process is not None:
            if not self.ended():
                self.process.kill()
            self.process.wait()
        processes.end_marked(str(self.data))
        if self.data.exists():
            EmbeddedPostgres(self.data).destroy()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def call(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        asked = urllib.request.Request(
            self.url(path), data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=HANG_SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def bodies_waiting(self) -> int:
        """Return the number of calls whose bodies have not arrived completely."""
        with urllib.request.urlopen(self.url("/metrics"), timeout=HANG_SECONDS) as answer:
            found = re.search(r"^bodies_waiting (\d+)", answer.read().decode(), re.MULTILINE)
        return int(found[1]) if found else 0

    def children(self, name: str) -> list[psutil.Process]:
        """Return direct children of the launcher whose command contains the name."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if name in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def everything(self) -> list[psutil.Process]:
        """Return the launcher and all its descendants."""
        assert self.process is not None
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def diagnostics(self) -> str:
        """Return the output and logs, to be shown by a failing test."""
        logs = [f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.data.glob("logs/*.log")]
        return "\n".join([self.output, *logs])

    def password_shown(self) -> str | None:
        shown = re.search(r"with the temporary password (\S+)", self.output)
        return shown.group(1) if shown else None


def still_running(found: list[psutil.Process]) -> list[psutil.Process]:
    """Wait for the processes to end and return those that did not."""
    _, alive = psutil.wait_procs(found, timeout=HANG_SECONDS)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
