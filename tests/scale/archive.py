"""The archive of PostgreSQL's WAL and base backups, by the scripts that are shipped."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale.lab import Lab
from tests.waiting import HANG_SECONDS, wait_until

SCRIPTS: Final = ROOT / "deploy" / "wal-archive"
RECEIVED: Final = "SELECT 1 FROM pg_stat_replication WHERE application_name = 'pg_receivewal' AND flush_lsn >= %s"


class Archive:
    """One archive, in a folder that the user of PostgreSQL may reach; ``user`` None is the present one."""

    def __init__(self, lab: Lab, folder: Path, *, programs: Path, user: int | None) -> None:
        self._lab, self._user = lab, user
        self._scripts = shutil.copytree(SCRIPTS, folder / "scripts")
        self._home = folder / "home"
        self._home.mkdir()
        if user is not None:
            os.chown(self._home, user, user)
        self._environ = {
            "PATH": os.pathsep.join([str(programs / "bin"), "/usr/bin", "/bin"]),
            "ARCHIVE": str(self._home / "archive"),
        }

    def receive(self, primary: str, password: str) -> None:
        """Start to receive WAL from a server, and wait until it arrives. ``primary``: host, port and user."""
        self._environ |= {"PRIMARY": primary, "PGPASSWORD": password}
        process = self._lab.spawn("receive", [str(self._scripts / "receive.sh")], self._environ, user=self._user)
        wal = self._home / "archive" / "wal"
        self._lab.wait_for(process, lambda: any(wal.glob("*.partial")))

    def base_backup(self) -> str:
        """Make a base backup, and return its name."""
        self._run("base-backup.sh")
        return max(path.name for path in (self._home / "archive" / "base").iterdir())

    def base_backups(self) -> list[str]:
        return sorted(path.name for path in (self._home / "archive" / "base").iterdir())

    def oldest_wal(self) -> str:
        return min(path.name for path in (self._home / "archive" / "wal").iterdir())

    @staticmethod
    def wait_for(url: str) -> None:
        """Wait until all that a server has written so far was received. ``url``: of a superuser."""
        with psycopg.connect(url, autocommit=True) as connection:
            written = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            assert wait_until(lambda: connection.execute(RECEIVED, written).fetchone() is not None)

    def restore(self, time: str = "") -> int:
        """Restore to a time, or all, and return the port of the server."""
        port = free_port()
        self._run("restore.sh", str(self._home / "restored"), str(port), *([time] if time else []))
        return port

    def end(self) -> None:
        """Stop the server that was restored, if there is one."""
        if (self._home / "restored" / "postmaster.pid").exists():
            self._run_program("pg_ctl", "stop", "--mode=immediate", f"--pgdata={self._home / 'restored'}")

    def _run(self, script: str, *arguments: str) -> None:
        self._run_program(str(self._scripts / script), *arguments)

    def _run_program(self, *command: str) -> None:
        environ: Mapping[str, str] = {**self._environ, "LC_ALL": "C"}
        groups: list[int] | None = None if self._user is None else []
        done = subprocess.run(
            command, env=environ, cwd="/", user=self._user, group=self._user, extra_groups=groups,
            capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
