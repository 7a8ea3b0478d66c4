"""PgBouncer with the configuration that is shipped, in front of the tests' PostgreSQL."""

import os
import pwd
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale.lab import Lab, find_program, listens

CONFIGURATION: Final = ROOT / "deploy" / "pgbouncer.ini"
ADMIN: Final = "pgbouncer_admin"
ADMIN_PASSWORD: Final = "a"
ROLE, PASSWORD = "doorstep_pooled", "password-of-the-pooled-role"  # of the application
CONNECTIONS: Final = 6  # fewer than the clients have, so that they share them all the time


def start(lab: Lab, folder: Path, *, server: str, users: Mapping[str, str], prepares: bool) -> int:
    """Start PgBouncer in front of the server of a URL and return its port; ``folder`` is one that others may read."""
    port = configure(folder, server=server, users=users, prepares=prepares)
    run(lab, folder, port)
    return port


def configure(
    folder: Path,
    *,
    server: str,
    users: Mapping[str, str],
    prepares: bool,
    connections: int = CONNECTIONS,
    host: str = "127.0.0.1",
) -> int:
    """Write a configuration for `run`, and return the port that it names."""
    port, parts = free_port(), urlsplit(server)
    users_file = folder / "userlist.txt"
    users_file.write_text("".join(f'"{name}" "{password}"\n' for name, password in users.items()))
    changes = {
        "listen_addr": host,
        "listen_port": port,
        "auth_file": users_file,
        "default_pool_size": connections,
        **({"max_prepared_statements": 500} if prepares else {}),
    }
    text = CONFIGURATION.read_text().replace("host=10.0.0.20 port=5432", f"host={parts.hostname} port={parts.port}")
    for name, value in changes.items():
        text, count = re.subn(rf"(?m)^(; )?{name} = .*$", f"{name} = {value}", text)
        assert count == 1, name
    (folder / CONFIGURATION.name).write_text(text)
    return port


def limits(pooled_url: str) -> dict[str, str]:
    """Return the settings of the pooler that a URL leads to."""
    address = urlsplit(pooled_url)
    url = f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@{address.hostname}:{address.port}/pgbouncer"
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        return {row[0]: row[1] for row in connection.execute("SHOW CONFIG")}


def run(lab: Lab, folder: Path, port: int, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start PgBouncer with the configuration in a folder, as `nobody` for root: it refuses to run as root.

    The prefix is a command that runs it elsewhere, and not as root.
    """
    user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 and not prefix else None
    command = [*prefix, find_program("pgbouncer") or "", str(folder / CONFIGURATION.name)]
    process = lab.spawn("pgbouncer", command, {}, user=user)
    lab.wait_for(process, lambda: listens(port))
    return process
