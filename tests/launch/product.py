"""Starts the product the way `make run` does, in a folder and on a port of its own."""

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
from tests.waiting import HANG_SECONDS, wait_until


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment of this machine without settings of Doorstep, then the given ones."""
    ours = {row.name for row in describe()} | {"MAKELEVEL", processes.MARK}
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **settings}


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

    def start(self) -> None:
        """Start and wait until ready."""
        self.launch()
        assert wait_until(lambda: self.ready() or self.ended()), self.told()
        assert not self.ended(), self.told()

    def launch(self) -> "subprocess.Popen[bytes]":
        self.folder.mkdir(parents=True, exist_ok=True)
        ours = {"PORT": str(self.port), "DATA_DIR": str(self.data), "ADMIN_PASSWORD": "a password of tests"}
        environment = clean_environment(**{**ours, **self.settings})
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
        """End whatever is left and remove the database wherever it lies."""
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
        """How many calls the web server has taken whose bodies are not all there yet."""
        with urllib.request.urlopen(self.url("/metrics"), timeout=HANG_SECONDS) as answer:
            found = re.search(r"^bodies_waiting (\d+)", answer.read().decode(), re.MULTILINE)
        return int(found[1]) if found else 0

    def children(self, name: str) -> list[psutil.Process]:
        """Direct children of the launcher whose command holds the name."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if name in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def everything(self) -> list[psutil.Process]:
        """The launcher's whole tree."""
        assert self.process is not None
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def told(self) -> str:
        """What a failing test shows."""
        logs = [f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.data.glob("logs/*.log")]
        return "\n".join([self.output, *logs])

    def password_shown(self) -> str | None:
        shown = re.search(r"with the temporary password (\S+)", self.output)
        return shown.group(1) if shown else None


def all_gone(found: list[psutil.Process]) -> list[psutil.Process]:
    """Wait until they have ended; returns those that do not."""
    _, alive = psutil.wait_procs(found, timeout=HANG_SECONDS)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
