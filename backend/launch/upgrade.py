"""`make upgrade`: replace the processes of the running product with those of this checkout, without a pause.

What takes long comes first, beside the running product: packages (make), build, copy, expanding migrations. Then each
process is replaced in turn: the new one starts, shows that it works, and only then the old one is asked to end. If the
new one does not show it, it is ended, and the old one goes on. PostgreSQL, Valkey and the launcher go on unchanged.
"""

import contextlib
import fcntl
import http.client
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
import psycopg

from backend.core.db import connection_budget
from backend.core.db.address import address
from backend.launch import (
    database_roles,
    database_state,
    frontend,
    handover,
    prepared,
    private_files,
    release,
)
from backend.launch.control import Launcher, is_setting, web_address
from backend.launch.errors import LaunchError, explain
from backend.launch.start import PROGRAMS, READY_SECONDS
from backend.settings import HOME, VERSION, Settings, SettingsError

LOCK: Final = "run/upgrade.lock"
ENVIRONMENT_NOTE: Final = ".venv-name"  # read by the Makefile
REPORTED: Final = "SELECT count(*) > 0 FROM processes WHERE machine = %s AND kind = %s AND %s IN (pid, parent_pid)"
PAGES: Final = ("/readyz", "/app/")
PROBE_SECONDS: Final = 10.0


@dataclass
class Upgrade:
    """One upgrade of the product in one DATA_DIR."""

    settings: Settings
    launcher: Launcher
    began: float = field(default_factory=time.monotonic)
    former: list[int] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {line}", flush=True)

    def run(self) -> None:
        """Upgrade. Raises LaunchError saying what runs now and what to do."""
        data = self.settings.data_dir
        self.check_connections()
        frontend.build(self.say)
        folder = release.make(data)
        self.prepare("Preparing the database; migrations that remove something wait ...")
        for name in PROGRAMS:
            if name != "events" or self.settings.events_port:
                self.replace(name, folder)
        self.say("Waiting until the last old process has finished its calls and jobs ...")
        self.wait_for_former()
        waiting = self.prepare("Running the migrations that waited ...")
        if waiting:
            self.say(f"Migrations left for later: {', '.join(waiting)} (see {prepared.log(data)})")
        else:
            url = self.settings.owner_database_url
            database_state.remember(data, url, app=database_roles.user_of(self.settings.database_url))
        if Path(sys.prefix).parent == HOME:
            private_files.write(HOME / ENVIRONMENT_NOTE, Path(sys.prefix).name, mode=0o644)
        release.drop_others(data, [folder])
        release.drop_environments(HOME)
        self.say(f"Upgraded: version {VERSION} serves {self.settings.public_url}")

    def check_connections(self) -> None:
        """Check that the server allows the connections of two processes of each kind. Raises LaunchError."""
        room = connection_budget.check_at(self.settings, upgrading=True)
        if not room.fits:
            raise LaunchError(f"{room.problem} Or restart instead: stop the product, then make run.")

    def prepare(self, line: str) -> list[str]:
        """Run the migrations that may run now, and return those that wait for older processes to end."""
        self.say(line)
        environment: Mapping[str, str] = {**os.environ, "DOORSTEP_HOME": str(HOME)}
        return prepared.prepare(self.settings.data_dir, environment).waiting

    def replace(self, name: str, folder: Path) -> None:
        """Start the new process beside the old one, wait until it works, and end the old one."""
        argv = [sys.executable, "-m", *PROGRAMS[name]]
        started = self.launcher.ask("start", name, argv=argv, folder=str(folder), token=self.token)
        pid, probe = int(str(started["pid"])), int(str(started["probe"] or 0))
        try:
            if name == "web":
                problem = self.open_when_ready(pid, probe)
            else:
                problem = self.wait_for(pid, lambda: self.report_problem(name, pid))
        except BaseException:
            self.discard(name)
            raise
        if problem:
            self.discard(name)
            raise LaunchError(self.advice(name, problem))
        former = self.launcher.ask("promote", name)["former"]
        if isinstance(former, int):
            self.former.append(former)
        self.say(f"{name} of version {VERSION} took over (process {pid})")

    def discard(self, name: str) -> None:
        with contextlib.suppress(LaunchError):
            self.launcher.ask("discard", name)

    def open_when_ready(self, pid: int, probe: int) -> str:
        """Let the new web server accept calls once all its processes respond on the probe; wait until all do.

        Return "" then, or what is wrong.
        """
        host, port, seen = "127.0.0.1", probe, set[str]()
        problem = self.wait_for(pid, lambda: self.response_problem(host, port, seen))
        if not problem:
            self.launcher.ask("open", "web")
            host, port, seen = handover.local(self.settings.host), self.settings.port, set()
            problem = self.wait_for(pid, lambda: self.response_problem(host, port, seen))
        return problem

    def wait_for(self, pid: int, problem: Callable[[], str]) -> str:
        """Ask until there is no problem; return the last one, or that the process ended."""
        limit, found = time.monotonic() + READY_SECONDS, ""
        while time.monotonic() < limit:
            if not is_alive(pid):
                return "it ended"
            found = problem()
            if not found:
                return ""
            time.sleep(0.1)
        return f"{found} within {READY_SECONDS:.0f} seconds"

    def response_problem(self, host: str, port: int, seen: set[str]) -> str:
        """Call the new web server. Return "" once each of its processes answered, else what is wrong.

        ``seen`` collects the processes that answered. Old ones, which answer at the same port, do not say who they are.
        """
        headers = {"Host": urlsplit(self.settings.public_url).netloc, handover.PROBE_HEADER: self.token}
        for path in PAGES:
            connection = http.client.HTTPConnection(host, port, timeout=PROBE_SECONDS)
            try:
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                body = response.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                return f"{path} did not respond ({error!r})"
            finally:
                connection.close()
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                return f"{path} responded with {response.status}: {body[:300]}"
        seen.add(response.getheader(handover.PID_HEADER, ""))
        ready = [process for process in seen if process and is_alive(int(process))]
        return "" if len(ready) >= self.settings.web_workers else "not all of its processes responded"

    def report_problem(self, kind: str, pid: int) -> str:
        """Return "" once the process, or a child of it, is in the table of processes, else what is wrong."""
        conninfo = address(self.settings.database_url, silent_seconds=self.settings.db_silent_seconds)
        try:
            with psycopg.connect(conninfo, prepare_threshold=None) as connection:
                row = connection.execute(REPORTED, (self.settings.machine_name, kind, pid)).fetchone()
        except psycopg.OperationalError as error:
            return f"the database does not respond ({error})"
        return "" if row is not None and row[0] else "it did not report itself"

    def wait_for_former(self) -> None:
        """Wait for the replaced processes; the launcher kills those whose time is over."""
        while any(psutil.pid_exists(pid) for pid in self.former):
            if not psutil.pid_exists(self.launcher.pid):
                raise LaunchError("The product was stopped during the upgrade. Start it: make run")
            time.sleep(0.1)

    def advice(self, name: str, problem: str) -> str:
        """Return what happened and what to do, for a new process that does not work."""
        log = self.settings.data_dir / "logs" / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        kept = (
            "Nothing was replaced" if not self.former else "Other processes already run the new version, which is safe"
        )
        return (
            f"The new {name} process does not work: {problem}. Its last line: {lines[-1] if lines else 'none'}\n"
            f"{kept}: {name} of version {self.launcher.version} goes on. See {log}, correct the cause and run "
            "make upgrade again, or check out the earlier version and run make upgrade."
        )


def is_alive(pid: int) -> bool:
    """Return whether the process runs; one that ended and was not collected yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def only_upgrade(data_dir: Path) -> Iterator[None]:
    """Hold the lock of upgrades. Raises LaunchError if another one runs."""
    with (data_dir / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError("Another upgrade of this product runs. Wait for it.") from None
        yield


def find_product() -> tuple[Settings, Launcher]:
    """Return the settings of the running product, and its launcher. Raises SettingsError, LaunchError."""
    launcher = Launcher.find(Settings.with_owner().data_dir)
    for name in filter(is_setting, list(os.environ)):
        del os.environ[name]
    os.environ.update(launcher.settings(), DATA_DIR=str(launcher.data_dir))
    settings = Settings.with_owner()
    if web_address(settings) != launcher.address:
        raise LaunchError(f"HOST or PORT has changed since the start (it was {launcher.address}): make run again.")
    return settings, launcher


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Return 0 after an upgrade, 1 if something stays of the earlier version, 2 for an invalid setting."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _interrupt)
    try:
        settings, launcher = find_product()
        with only_upgrade(settings.data_dir):
            Upgrade(settings, launcher).run()
    except SettingsError as error:
        sys.stderr.write(f"A setting is wrong: {error}\n")
        return 2
    except LaunchError as error:
        sys.stderr.write(f"The upgrade stopped: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The upgrade stopped: {explain(error)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            "The upgrade was interrupted. Processes that were not replaced go on; run make upgrade again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
