"""Two machines with web servers and workers, behind HAProxy and PgBouncer, on servers of their own."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

from backend.app import create_app
from backend.core.db.session import db
from backend.core.observability import metrics
from backend.launch import processes
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.settings import Settings
from tests.conftest import ADMIN_PASSWORD
from tests.factories.requests import RequestMarket
from tests.factories.servers import SmtpServer, free_port
from tests.factories.silent_proxy import SilentProxy
from tests.factories.users import User, Users
from tests.scale import haproxy, pgbouncer
from tests.scale.lab import Lab, Machine, find_program, get
from tests.scale.load import send
from tests.waiting import wait_until

POOL: Final = 24  # sessions of the pooler
STORE_SIZE: Final = "size=256m"  # of the disk that a fault fills: room for some 5,000 photos
WITHOUT_LIMIT: Final = "1000000 per hour"
LIMITS: Final = ("SIGNUP", "REQUEST", "MESSAGE", "CONVERSATION", "PHOTO", "VISIT", "PROFILE", "TIMES")
NAMES: Final = ("one", "two")
CUSTOMERS, PROFESSIONALS = 4, 5


class Fleet:
    """Everything that runs. A context manager: all of it ends with the block.

    ``fills``: whether the file stores get a small disk of their own, which a fault can fill; only root can mount it.
    """

    def __init__(self, folder: Path, *, env: str, changes: Mapping[str, str] | None = None, fills: bool = True) -> None:
        self.folder = folder
        self._fills = fills
        self._ends = ExitStack()
        self.pooler: subprocess.Popen[bytes]
        self._env, self._changes = env, dict(changes or {})

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def url(self) -> str:
        """Return the address of the proxy, which clients use."""
        return self.proxy.url

    def running(self) -> dict[str, subprocess.Popen[bytes]]:
        """Return the processes of the product by machine and kind."""
        return {
            f"{machine.name}-{kind}": process
            for machine in self.machines
            for kind, process in machine.running.items()
        }  # fmt: skip

    def kill(self, machine: Machine, kind: str) -> None:
        """Kill a process with all its children at once."""
        process = machine.running.pop(kind)
        processes.kill_group(process)
        process.wait()

    def signal(self, machine: Machine, kind: str, number: signal.Signals) -> None:
        """Send a signal to a process and all its children."""
        os.killpg(machine.running[kind].pid, number)

    def restart_pooler(self) -> None:
        """End the pooler with all its connections, and start it again."""
        processes.kill_group(self.pooler)
        self.pooler.wait()
        self.pooler = pgbouncer.run(self.lab, self._public, self._pooler_port)

    def drain(self, machine: Machine) -> None:
        """Take a web machine out as an operator does: SIGTERM, wait for the proxy to notice, SIGTERM again."""
        machine.running["web"].send_signal(signal.SIGTERM)
        self.proxy.wait_for(self.server_of(machine), "DOWN")
        machine.stop("web")

    def server_of(self, machine: Machine) -> str:
        """Return the proxy's name of a web machine."""
        return f"web{self.machines.index(machine) + 1}"

    def is_ready(self) -> bool:
        """Return whether both web machines say that they are ready, the proxy uses both, and writes succeed."""
        for machine in self.machines:
            status, body = get(f"{machine.url}/readyz", seconds=5.0)
            if status != 200 or json.loads(body)["status"] != "ready":
                return False
        servers = self.proxy.servers()
        if any(servers[self.server_of(machine)] != "UP" for machine in self.machines):
            return False
        body = json.dumps({"lastname": "Rao"}).encode()
        headers = {**self.admin.headers, "Content-Type": "application/json"}
        return send(self.url, "PATCH", "/me", body, headers, seconds=10.0).status == 200

    def wait_until_ready(self) -> None:
        assert wait_until(self.is_ready, pause=0.5), [get(f"{machine.url}/readyz") for machine in self.machines]

    def _start(self) -> None:
        self.folder.chmod(0o755)
        self.disk = self._mount(self.folder / "lab" / "shared")
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self._ends.callback(self.postgres.destroy)
        self.postgres.start()
        owner, app = self.postgres.roles()
        self.valkey = EmbeddedValkey(self.folder / "valkey")
        self._ends.callback(self.valkey.stop)
        self.smtp = SmtpServer()
        self.smtp.start()
        self.smtp_port = self.smtp.port
        self._ends.callback(self.smtp.stop)
        self.lab = Lab(self._settings(owner, self.valkey.start()), self.folder / "lab")
        self._ends.callback(self._end_lab)
        self._public = self.folder / "public"
        self._public.mkdir(mode=0o755)
        password = app.split(":")[2].split("@")[0]
        users = {"doorstep_app": password, pgbouncer.ADMIN: "a"}
        self._pooler_port = pgbouncer.configure(
            self._public, server=self.postgres.url, users=users, prepares=False, connections=POOL
        )
        self.pooler = pgbouncer.run(self.lab, self._public, self._pooler_port)
        self.links = {name: SilentProxy(self._pooler_port) for name in NAMES}
        for link in self.links.values():
            self._ends.callback(link.close)
        one, two = (self._machine(name, app) for name in NAMES)
        self.machines = (one, two)
        one.run("backend.launch.prepare")
        self._make_market(owner)
        for kind in ("web", "worker", "beat", "events"):
            one.start(kind)
        for kind in ("web", "worker"):
            two.start(kind)
        self.proxy = haproxy.start(self.lab, (one, two))
        self.wait_until_ready()

    def _machine(self, name: str, app: str) -> Machine:
        port = self.postgres.port
        through = app.replace(f":{port}/", f":{self.links[name].port}/")
        return self.lab.machine(name, DATABASE_URL=through, EVENTS_PORT=self._events_port, METRICS_PORT="0")

    def _settings(self, owner: str, valkey: str) -> dict[str, str]:
        self._events_port = str(free_port())
        return {
            "ENV": self._env,
            "SECRET_KEY": "only-for-chaos-" * 4,
            "DATABASE_URL": owner,
            "OWNER_DATABASE_URL": owner,
            "DATABASE_POOLED": "on",
            "DB_PREPARE": "off",
            "REDIS_URL": valkey,
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "ARGON2_MEMORY_KIB": "8",
            "ARGON2_TIME_COST": "1",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.smtp_port),
            "DRAIN_SECONDS": "600",
            **{f"{name}_RATE_LIMIT": WITHOUT_LIMIT for name in LIMITS},
            **self._changes,
        }

    def _make_market(self, owner: str) -> None:
        """Create the users and the task by the product's own actions, before anything runs."""
        own = {
            "DATABASE_URL": owner,
            "DATABASE_POOLED": "off",
            "DATA_DIR": str(self.folder / "own"),
            "LOG_LEVEL": "error",
        }
        settings = Settings.from_env({**self.lab.environ, **own})
        metrics.begin(settings)
        app = create_app(settings)
        with app.app_context():
            self.market = RequestMarket(Users(app))
            self.customers: list[User] = [self.market.users.customer() for _ in range(CUSTOMERS)]
            self.professionals: list[User] = [self.market.professional() for _ in range(PROFESSIONALS)]
            self.admin = self.market.users.admin()
            self.task_id = self.market.task_id
            db.session.remove()
            db.engine.dispose()

    def _mount(self, folder: Path) -> Path | None:
        """Give the file stores a small disk of their own, and return its folder, or None without root."""
        folder.mkdir(parents=True)
        mount = find_program("mount")
        if not self._fills or os.getuid() != 0 or mount is None:
            return None
        done = subprocess.run([mount, "-t", "tmpfs", "-o", STORE_SIZE, "tmpfs", str(folder)], check=False)
        if done.returncode != 0:
            return None
        self._ends.callback(subprocess.run, [find_program("umount") or "umount", "-l", str(folder)], check=False)
        return folder

    def _end_lab(self) -> None:
        """End the processes; what they wrote stays in the folder."""
        for machine in self.machines if hasattr(self, "machines") else ():
            for kind in list(machine.running):
                with suppress(ProcessLookupError):
                    self.signal(machine, kind, signal.SIGCONT)
        self.lab.end(shown=0)


def errors_in_logs(folder: Path) -> dict[str, int]:
    """Return how many lines with a traceback or an error each log of a fleet has, for those that have any."""
    found = {}
    for path in sorted((folder / "lab").glob("*.log")):
        lines = path.read_text(errors="replace").splitlines()
        found[path.stem] = sum("[error" in line or line.startswith("Traceback") for line in lines)
    return {name: count for name, count in found.items() if count}
