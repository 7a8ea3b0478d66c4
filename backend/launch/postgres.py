"""PostgreSQL from its wheel: creates the cluster once, starts, recovers and stops it."""

import contextlib
import locale
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from backend.launch import database_roles, postgres_programs, private_files, processes
from backend.launch.errors import LaunchError

ROLE = "doorstep"  # the cluster's superuser, for this module and tests only
OWNER, APP = "doorstep_owner", "doorstep_app"
# The only extension that requires a superuser (the others are "trusted"). Also in template1, so that the
# owner can create a database to restore a backup into.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS earthdistance CASCADE"
DATABASE = "doorstep"
START_SECONDS = 120.0
PARAMETERS: Mapping[str, str] = {
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",  # reads by the sessions themselves: its workers are three processes that wait
    "max_logical_replication_workers": "0",  # without it, their launcher is not started
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_error_verbosity": "terse",  # DETAIL quotes rows: emails, names
}


class EmbeddedPostgres:
    """One cluster under `data_dir`, on loopback with a password stored in `data_dir`.

    Loopback instead of a socket file, because a socket's path is limited to 107 characters and DATA_DIR is not.
    """

    def __init__(self, data_dir: Path, *, name: str = "postgres", parameters: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.name = name
        self.parameters = {**PARAMETERS, **(parameters or {})}
        self.port: int | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.data_dir / "logs" / f"{name}.log"
        self._note = self.data_dir / "run" / f"{name}.json"

    def start(self) -> str:
        """Start, recovering from a crash of the last run, and return the database's URL."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._home = postgres_programs.find(self.data_dir, self.name)
        password = private_files.kept_secret(self.data_dir / f"{self.name}.password")
        if not (self._home.cluster / "PG_VERSION").exists():
            self._make_cluster(password)
        self._end_leftover()
        self.port = private_files.kept_port(self._note, insist=self.port)
        private_files.write(self._note, f'{{"port": {self.port}}}\n')
        self._password = password
        self._start_server()
        self._ensure_database()
        return self.url

    @property
    def url(self) -> str:
        """Return the URL of the database, once started."""
        return self._url(DATABASE)

    def roles(self) -> tuple[str, str]:
        """Create the roles of owner and application and return both URLs. The server must be running.

        A cluster of an earlier version, in which everything belongs to the superuser, is transferred to the owner.
        """
        urls = []
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name, options in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB")):
                short = name.removeprefix("doorstep_")
                password = private_files.kept_secret(self.data_dir / f"{self.name}.{short}.password")
                database_roles.put_role(connection, name, password, options=options)
                urls.append(f"postgresql://{name}:{password}@127.0.0.1:{self.port}/{DATABASE}")
            connection.execute(EXTENSION)
            database_roles.hand_over(connection, owner=OWNER)
        with psycopg.connect(self._url("template1"), autocommit=True) as template:
            template.execute(EXTENSION)
        owner, app = urls
        return owner, app

    @property
    def pid(self) -> int | None:
        """Return the process id of the running server."""
        return self.process.pid if self.alive() and self.process else None

    def alive(self) -> bool:
        """Return whether the server process exists."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Shut down in fast mode: roll back open transactions; everything committed is on disk."""
        if self.process is not None:
            processes.end(self.process, first=signal.SIGINT, patience=30)
            self.process = None

    def destroy(self) -> None:
        """Stop and delete the cluster. For tests."""
        self.stop()
        shutil.rmtree(postgres_programs.find(self.data_dir, self.name).cluster, ignore_errors=True)

    def _url(self, database: str) -> str:
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/{database}"

    def _make_cluster(self, password: str) -> None:
        """Create the cluster under a temporary name, so that an interrupted start leaves no incomplete one."""
        unfinished = self._home.cluster.with_name(f"{self._home.cluster.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        if self._home.user is not None:
            os.chown(unfinished, self._home.user, self._home.user)
        with tempfile.TemporaryFile() as password_file:
            password_file.write(password.encode())
            password_file.seek(0)
            if self._home.user is not None:
                os.fchown(password_file.fileno(), self._home.user, self._home.user)
            self._run_initdb(unfinished, password_file.fileno())
        if self._home.cluster.exists():  # created by hand, or by a start that was interrupted before writing anything
            self._home.cluster.rmdir()
        unfinished.rename(self._home.cluster)

    def _run_initdb(self, cluster: Path, password_file: int) -> None:
        text = ["--locale=C.UTF-8"] if _has_utf8_locale() else ["--locale=C"]
        argv = [
            self._home.programs / "bin" / "initdb",
            *("-D", cluster, "-U", ROLE, "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(*text, "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--no-instructions"),
        ]
        done = subprocess.run(
            [str(part) for part in argv],
            check=False,
            stdin=password_file,
            capture_output=True,
            text=True,
            env=_environment(),
            cwd="/",
            user=self._home.user,
            group=self._home.user,
            extra_groups=[] if self._home.user is not None else None,
        )
        if done.returncode != 0:
            lines = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
            errors = [line for line in lines if "error:" in line or "FATAL:" in line] or lines
            raise LaunchError(f"The database's files could not be created: {errors[0]}")

    def _end_leftover(self) -> None:
        """Stop a server left by a killed start, or remove its stale record."""
        note = self._home.cluster / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            leftover = processes.running(int(note.read_text().split()[0]), program="postgres")
            if leftover is not None and leftover.uids().real == (self._home.user or os.getuid()):
                processes.end_all([leftover], first=signal.SIGINT, patience=20)
            note.unlink()

    def _start_server(self) -> None:
        parameters = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **self.parameters,
        }
        argv: list[str | Path] = [self._home.programs / "bin" / "postgres", "-D", self._home.cluster]
        for key, value in parameters.items():
            argv += ["-c", f"{key}={value}"]
        for _ in range(20):
            with private_files.open_log(self.log) as log:
                start_of_log = log.tell()
                self.process = processes.spawn(
                    argv,
                    env=_environment(),
                    output=log.fileno(),
                    on_parent_death=signal.SIGINT,
                    user=self._home.user,
                    cwd=Path("/"),
                )
            if (
                processes.wait_until(lambda: self._answers() or not self.alive(), seconds=START_SECONDS)
                and self.alive()
            ):
                return
            reason = self._last_words(start_of_log)
            self.stop()
            if "pre-existing shared memory" not in reason:  # else backends of a killed server are still exiting
                raise LaunchError(f"The database failed to start: {reason} (see {self.log})")
            processes.wait_until(lambda: False, seconds=0.5)
        raise LaunchError(f"Processes of an earlier database run are still running; see {self.log}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ensure_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if row is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _last_words(self, start_of_log: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start_of_log)
            lines = log.read().decode(errors="replace").splitlines()
        errors = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines or ["no message"]
        return errors[-1].split("FATAL:")[-1].strip()


def _environment() -> dict[str, str]:
    """Return an environment without secrets and PG* variables, which would change the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _has_utf8_locale() -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True
