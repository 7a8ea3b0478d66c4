"""The steps of `make run`, one readable line each."""

import contextlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from backend.core.db import connection_budget
from backend.core.observability import tracing
from backend.launch import (
    control,
    database_roles,
    database_state,
    frontend,
    handover,
    prepared,
    private_files,
    processes,
    readiness,
    release,
)
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.launch.errors import LaunchError, explain
from backend.launch.replacement import Replacement
from backend.launch.supervisor import LEAVING_SECONDS, Program, Supervisor
from backend.settings import HOME, OWNER_FILE, RUNTIME_FILE, Settings, SettingsError

READY_SECONDS = 180.0  # for programs that hang; repeated exits fail the start sooner
FAILURES_AT_START = 5
FEWEST_CONNECTIONS, RESERVED_CONNECTIONS = 120, 3  # of the embedded PostgreSQL, with superuser_reserved_connections
# What follows `python -m` for each program, in the order in which they start and are upgraded.
PROGRAMS: Final = {
    "web": ("backend.wsgi",),
    "worker": ("backend.worker", "worker"),
    "beat": ("backend.worker", "beat"),
    "events": ("backend.events",),
}


class Stopped(BaseException):
    """Ctrl-C or SIGTERM arrived before everything was running."""


@dataclass
class Launch:
    """One run of the product in one DATA_DIR."""

    settings: Settings
    supervisor: Supervisor
    began: float = field(default_factory=time.monotonic)
    lock: IO[str] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    listeners: list[socket.socket] = field(default_factory=list)
    owner_url: str = ""
    sign_in: str = ""

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {line}", flush=True)

    def run(self) -> int:
        """Start the product, run it, and stop it."""
        try:
            self.lock = private_files.claim(self.settings.data_dir)
            self.end_leftovers()
            self.check_port()
            self.build_web_app()
            self.start_servers()
            self.prepare_database()
            self.check_connections()
            self.start_programs()
            self.supervisor.listen()
            ready = self.wait_until_ready()
            if ready:
                self.watch()
            return 0 if ready or self.supervisor.stopping else 1
        finally:
            self.finish()

    def end_leftovers(self) -> None:
        """Stop programs of an earlier, killed run."""
        if ended := processes.end_marked(self.mark, patience=10):
            self.say(f"Stopped {ended} processes left by an earlier run")
        self.forget_addresses()
        self.forget_figures()
        self.settings = Settings.with_owner()

    def forget_addresses(self) -> None:
        for name in (RUNTIME_FILE, OWNER_FILE):
            (self.settings.data_dir / name).unlink(missing_ok=True)

    def forget_figures(self) -> None:
        """Reset all metrics together, before any process runs, so that no counter decreases while others continue."""
        for path in (self.settings.data_dir / "run" / "metrics").glob("*.db"):
            path.unlink(missing_ok=True)

    def check_port(self) -> None:
        host, port = self.settings.host, self.settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise LaunchError(
                    f"Port {port} on {host} cannot be used ({error.strerror}): stop the program that uses it, "
                    f"or choose another: PORT={port + 1 if port < 65535 else port - 1} make run"
                ) from None

    def build_web_app(self) -> None:
        """Build the pages that the web server serves."""
        frontend.build(self.say)

    def watch(self) -> None:
        """Keep everything running until asked to stop, and replace processes when `make upgrade` asks for it."""
        with contextlib.closing(Replacement(self.supervisor, self.listeners)) as replacement:
            replacement.hold_environment("web")
            control.announce(self.settings)
            self.supervisor.run(lambda: self.serve_upgrade(replacement))

    def serve_upgrade(self, replacement: Replacement) -> None:
        """Execute what `make upgrade` asks for. A full disk, for example, must not end the product."""
        try:
            control.serve(self.settings.data_dir, replacement.handle)
        except OSError as error:
            self.say(f"make upgrade gets no response: {error}")
        replacement.discard_abandoned()

    def start_servers(self) -> None:
        """Start the embedded PostgreSQL and Valkey, each only if no address is set."""
        secret = self.settings.secret_key or private_files.kept_secret(self.settings.data_dir / "secret_key")
        noted = {"SECRET_KEY": secret, "DATABASE_URL": self.settings.database_url, "REDIS_URL": self.settings.redis_url}
        self.owner_url = self.settings.owner_database_url
        if not self.settings.database_url:
            postgres = EmbeddedPostgres(self.settings.data_dir, parameters={"max_connections": self.connections})
            self._start(postgres)
            self.owner_url, noted["DATABASE_URL"] = postgres.roles()
            self.say(f"Database: PostgreSQL on port {postgres.port}, data in {self.settings.data_dir}")
        if not self.settings.redis_url:
            valkey = EmbeddedValkey(self.settings.data_dir)
            noted["REDIS_URL"] = self._start(valkey)
            self.say(f"Cache and queue: Valkey on port {valkey.port}")
        if not self.settings.events_url:
            noted["EVENTS_PORT"] = str(self._events_port())
        lines = [f"{name}={value}" for name, value in noted.items()]
        private_files.write(self.settings.data_dir / RUNTIME_FILE, "\n".join(lines) + "\n")
        private_files.write(self.settings.data_dir / OWNER_FILE, f"OWNER_DATABASE_URL={self.owner_url}\n")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "OWNER_DATABASE_URL"},
            **noted,
            "DATA_DIR": str(self.settings.data_dir),
            "DOORSTEP_HOME": str(HOME),
            processes.MARK: self.mark,
            "PYTHONUNBUFFERED": "1",
        }

    def _events_port(self) -> int:
        """Return the port for the process of live updates, the one of the last start if it is free."""
        note = self.settings.data_dir / "run" / "events.json"
        port = private_files.kept_port(note, insist=None)
        private_files.write(note, f'{{"port": {port}}}\n')
        return port

    def _start(self, server: EmbeddedPostgres | EmbeddedValkey) -> str:
        try:
            return server.start()
        finally:
            if server.alive():
                self.supervisor.add(server)

    def prepare_database(self) -> None:
        """Prepare the database (migrations, roles, places, first admin), unless it is known to be prepared."""
        data, url = self.settings.data_dir, self.owner_url
        app = database_roles.user_of(self.environment["DATABASE_URL"])
        if database_state.is_prepared(data, url, app=app):
            self.sign_in = f"Sign in as {self.settings.admin_username}, or any account"
            return
        self.say("Preparing the database (migrations, pincodes, first admin) ...")
        result = prepared.prepare(data, {**self.environment, "OWNER_DATABASE_URL": url})
        self.sign_in = f"Sign in as {result.username}"
        if result.password:
            self.sign_in += (
                f" with the temporary password {result.password} (shown only once; change it within 72 hours)"
            )
            self.say(self.sign_in)
        if result.waiting:
            self.say(f"Migrations left for the next start: {', '.join(result.waiting)} (see {prepared.log(data)})")
        else:
            database_state.remember(data, url, app=app)

    def check_connections(self) -> None:
        """Check that an external server allows all connections; the embedded one is started with enough."""
        if not self.settings.database_url:
            return
        room = connection_budget.check_at(self.settings)
        if not room.fits:
            raise LaunchError(room.problem)
        if room.problem:
            self.say(f"Warning: {room.problem}")

    def start_programs(self) -> None:
        if reason := tracing.problem():
            self.say(f"Warning: {reason}")
        logs, folder = self.settings.data_dir / "logs", self.folder()
        names = [name for name in PROGRAMS if name != "events" or self.has_events]
        self.listeners = self.listen()
        web = handover.Inherited(tuple(one.fileno() for one in self.listeners))
        for name in names:
            argv = [sys.executable, "-m", *PROGRAMS[name]]
            program = Program(name, argv, self.environment, logs / f"{name}.log", patience=self.patience, folder=folder)
            if name == "web":
                program.argv, program.descriptors = [*argv, *web.arguments], web.descriptors
                program.port = self.settings.port
                program.leaving_seconds = max(LEAVING_SECONDS, self.settings.drain_seconds)
            self.supervisor.add(program)
        self.say(f"Started the web server, worker, beat and live updates; logs are in {logs}")

    @property
    def has_events(self) -> bool:
        """Return whether this machine runs the process of live updates."""
        return bool(self.settings.events_port) or not self.settings.events_url

    def folder(self) -> Path:
        """Return the folder that programs run in: a copy, which no new checkout or build changes under them."""
        folder = release.make(self.settings.data_dir)
        release.drop_others(self.settings.data_dir, [folder])
        return folder

    def listen(self) -> list[socket.socket]:
        """Open the web server's sockets, one for each of its processes where Linux shares connections among them."""
        count = self.settings.web_workers if sys.platform.startswith("linux") else 1
        host, port = self.settings.host, self.settings.port
        return [handover.listen(host, port, reuse_port=count > 1) for _ in range(count)]

    def stop_listening(self) -> None:
        """Close this process's copies of the web server's sockets."""
        while self.listeners:
            self.listeners.pop().close()

    def wait_until_ready(self) -> bool:
        host = handover.local(self.settings.host)
        host = f"[{host}]" if ":" in host else host
        limit = time.monotonic() + READY_SECONDS
        while not self.supervisor.stopping:
            if readiness.is_ready(f"http://{host}:{self.settings.port}/readyz"):
                self.say(f"Ready: {self.settings.public_url}")
                self.say(f"{self.sign_in}. Ctrl-C stops everything.")
                return True
            self.supervisor.check()
            if self.supervisor.failures() >= FAILURES_AT_START or time.monotonic() > limit:
                self.say(f"The product does not become ready; see the logs in {self.settings.data_dir / 'logs'}.")
                return False
            self.supervisor.wait(0.1)
        return False

    def finish(self) -> None:
        """Stop everything that was started."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if self.lock is None:
            return
        if self.environment:
            self.say("Stopping; waiting for running calls and jobs ...")
        self.stop_listening()  # else calls would wait for a server until the last process has ended
        control.withdraw(self.settings.data_dir)
        self.supervisor.stop()
        processes.end_marked(self.mark, patience=5)
        self.forget_addresses()
        if self.environment:
            self.say("Stopped.")
        self.lock.close()

    @property
    def patience(self) -> float:
        """Return the seconds that a program may take to exit."""
        return self.settings.drain_seconds + self.settings.shutdown_seconds + 5

    @property
    def connections(self) -> str:
        """Return ``max_connections`` for the embedded PostgreSQL."""
        budget = connection_budget.budget(self.settings)
        return str(max(FEWEST_CONNECTIONS, budget.total + budget.upgrade + RESERVED_CONNECTIONS))

    @property
    def mark(self) -> str:
        return str(self.settings.data_dir)


def _stop(*_: object) -> None:
    raise Stopped


def main(launch_type: type[Launch] = Launch) -> int:
    """Return 0 after a normal stop, 1 after a failure, 2 for an invalid setting."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    if os.environ.get("MAKELEVEL"):
        processes.die_with_parent(signal.SIGTERM)  # if make is killed, nothing else would stop the launcher
    try:
        launch = launch_type(settings=Settings.with_owner(), supervisor=Supervisor(say=print))
        launch.supervisor.say = launch.say
        return launch.run()
    except SettingsError as error:
        print(f"A setting is wrong: {error}", file=sys.stderr)
        return 2
    except LaunchError as error:
        print(f"Doorstep cannot start: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Doorstep cannot start: {explain(error)}", file=sys.stderr)
        return 1
    except Stopped:
        return 0
