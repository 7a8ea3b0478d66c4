"""Valkey from its wheel: queue, cache and rate limits, persisted in an append-only file."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from backend.launch import private_files, processes, wheels
from backend.launch.errors import LaunchError

START_SECONDS = 60.0
PARAMETERS: Mapping[str, str] = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "databases": "16",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "hz": "4",  # background tasks a second: ten, as by default, are half of what an idle server does
}


class EmbeddedValkey:
    """One server under `data_dir`, on loopback with a password stored in `data_dir`."""

    def __init__(self, data_dir: Path, *, name: str = "valkey", parameters: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.name = name
        self.parameters = {**PARAMETERS, **(parameters or {})}
        self.port: int | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.data_dir / "logs" / f"{name}.log"
        self._home = self.data_dir / name
        self._note = self.data_dir / "run" / f"{name}.json"

    def start(self) -> str:
        """Start, recovering from a crash of the last run, and return the server's URL (database 0)."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._password = private_files.kept_secret(self.data_dir / f"{self.name}.password")
        self._end_leftover()
        if not self._started():
            # PostgreSQL is the source of truth: an unreadable queue is renamed, and the sweep refills it
            self._home.rename(self._home.with_name(f"{self.name}.unreadable-{int(time.time())}"))
            self._home.mkdir(mode=0o700)
            if not self._started():
                raise LaunchError(f"The cache failed to start: {self._last_words()} (see {self.log})")
        return self.url

    @property
    def url(self) -> str:
        """Return the URL of the server, once started."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """Return the process id of the running server."""
        return self.process.pid if self.alive() and self.process else None

    def alive(self) -> bool:
        """Return whether the server process exists."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Write the rest to disk and exit."""
        if self.process is not None:
            processes.end(self.process, patience=15)
            self.process = None

    def _started(self) -> bool:
        self.port = private_files.kept_port(self._note, insist=self.port)
        config = self._write_config()
        with private_files.open_log(self.log) as log:
            self.process = processes.spawn(
                [wheels.valkey_server(), config], env={}, output=log.fileno(), cwd=self._home
            )
        private_files.write(self._note, f'{{"port": {self.port}, "pid": {self.process.pid}}}\n')
        if processes.wait_until(lambda: self._answers() or not self.alive(), seconds=START_SECONDS) and self.alive():
            return True
        self.stop()
        return False

    def _write_config(self) -> Path:
        lines = [f"{key} {value}" for key, value in self.parameters.items()]
        folder = str(self._home).replace("\\", "\\\\").replace('"', '\\"')
        lines += [f"port {self.port}", f'dir "{folder}"', f"requirepass {self._password}"]
        config = self.data_dir / "run" / f"{self.name}.conf"
        private_files.write(config, "\n".join(lines) + "\n")
        return config

    def _answers(self) -> bool:
        """Ask without the client library, which the supervisor would keep in memory for good."""
        if self.port is None:
            return False
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection,
            connection.makefile("rb") as replies,
        ):
            connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            return [replies.readline(), replies.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        return False

    def _end_leftover(self) -> None:
        pid = private_files.read_json(self._note).get("pid")
        leftover = processes.running(pid, program="valkey-server") if isinstance(pid, int) else None
        if leftover is not None:
            processes.end_all([leftover], patience=15)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"
