"""One running installation of the whole product, started as `make run` does."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from backend.launch import processes
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.launch.private_files import free_port
from backend.launch.supervisor import Program
from backend.settings import ROOT, describe
from tests.factories.clusters import UNSAFE, start_copy
from tests.harness.caller import ADMIN_PASSWORD, Caller
from tests.harness.mail import Inbox
from tests.waiting import HANG_SECONDS


@dataclass
class RunningMarket:
    """A running installation; its parts have names, so that a test can kill and restart one."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port(None))
    events_port: int = field(default_factory=lambda: free_port(None))
    metrics_port: int = field(default_factory=lambda: free_port(None))
    inbox: Inbox = field(default_factory=Inbox)
    programs: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.postgres = EmbeddedPostgres(self.folder, parameters=UNSAFE)
        self.valkey = EmbeddedValkey(self.folder)

    def start(self) -> None:
        """Start all parts and wait until the product is ready."""
        self.inbox.start()
        start_copy(self.postgres)
        self.owner_url, app_url = self.postgres.roles()
        self.environment = self._environment(app_url, self.valkey.start())
        self._prepare()
        commands = {"web": ["wsgi"], "worker": ["worker", "worker"], "beat": ["worker", "beat"], "events": ["events"]}
        for name, (module, *arguments) in commands.items():
            argv = [sys.executable, "-m", f"backend.{module}", *arguments]
            self.programs[name] = Program(
                name, argv, self.environment, self.folder / "logs" / f"{name}.log", patience=15
            )
            self.programs[name].start()
        self.wait_until_ready()

    def stop(self) -> None:
        """End all parts in any state and remove the database."""
        for program in self.programs.values():
            program.ask_to_end()
        for program in self.programs.values():
            program.stop()
        self.valkey.stop()
        self.postgres.destroy()
        self.inbox.stop()

    def wait_until_ready(self, seconds: float = HANG_SECONDS) -> None:
        """Wait until /readyz returns "ready"; fail with the logs if it does not."""
        if not processes.wait_until(self.is_ready, seconds=seconds, pause=0.2):
            raise AssertionError(f"not ready after {seconds} s\n{self.readiness()}\n{self.logs()}")

    def is_ready(self) -> bool:
        try:
            return bool(requests.get(self.url("/readyz"), timeout=5).json()["status"] == "ready")
        except requests.RequestException:
            return False

    def readiness(self) -> str:
        try:
            return requests.get(self.url("/readyz"), timeout=5).text
        except requests.RequestException as error:
            return repr(error)

    def restart(self, name: str) -> None:
        """Kill one of the programs and start it again."""
        program = self.programs[name]
        if program.process is not None:
            processes.kill_group(program.process)
            program.process.wait()
        program.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def visitor(self) -> Caller:
        return Caller(self.url(""))

    def admin(self) -> Caller:
        """Return the first admin, signed in."""
        return self.visitor().sign_in("admin", ADMIN_PASSWORD)

    def flask(self, *arguments: str) -> str:
        """Run a Flask command on this installation and return its output."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "backend.app", *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def logs(self) -> str:
        files = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

    def _environment(self, database_url: str, redis_url: str) -> dict[str, str]:
        ours = {row.name for row in describe()}
        return {
            **{name: value for name, value in os.environ.items() if name not in ours},
            "ENV": "production",
            "SECRET_KEY": "only-for-tests-" * 4,
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORT": str(self.port),
            "EVENTS_PORT": str(self.events_port),
            "METRICS_PORT": str(self.metrics_port),
            "PUBLIC_URL": self.url(""),
            "INSECURE": "yes",
            "ADMIN_EMAIL": "admin@market.example",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.inbox.port),
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "ARGON2_MEMORY_KIB": "64",
            "ARGON2_TIME_COST": "1",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def _prepare(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "backend.launch.prepare"],
            env={**self.environment, "OWNER_DATABASE_URL": self.owner_url},
            cwd=ROOT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def wait_for(poll: Any, *, seconds: float = HANG_SECONDS, pause: float = 0.1) -> Any:
    """Poll until the result is true and return it; fail with the last result if the time is over."""
    limit = time.monotonic() + seconds
    while True:
        found = poll()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(f"still {json.dumps(found, default=str)} after {seconds} s")
        time.sleep(pause)
