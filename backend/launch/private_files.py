"""Files readable by their owner only, and the lock of a data folder."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from pathlib import Path
from typing import IO

from backend.launch.errors import LaunchError


def write(path: Path, content: str, *, mode: int = 0o600) -> None:
    """Write atomically (temporary file, fsync, rename): a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, in a folder and a file readable by their owner only.

    Append mode allows :func:`rotate` to truncate the file while a program writes to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)  # logs of earlier versions were readable by everyone
    return os.fdopen(descriptor, "ab")


def rotate(log: Path, *, largest: int, kept: int = 3) -> bool:
    """Move the content of a log above this size to ``.1`` and truncate it; older parts become ``.2`` and so on.

    Programs keep their descriptor, so the content is copied and the file truncated. Copying repeats until nothing was
    added; a line written in the microseconds between the last copy and the truncation is lost.
    """
    try:
        if log.stat().st_size <= largest:
            return False
    except FileNotFoundError:
        return False
    for number in range(kept - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            log.with_name(f"{log.name}.{number}").replace(log.with_name(f"{log.name}.{number + 1}"))
    with log.open("rb+") as source, _private(log.with_name(f"{log.name}.1")) as copy:
        while piece := source.read(1 << 20):
            copy.write(piece)
        source.truncate(0)
    return True


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def read(path: Path) -> str:
    """Return the content, or "" if there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def read_json(path: Path) -> dict[str, object]:
    """Return the JSON object in the file, or {} if it is missing or truncated."""
    try:
        found = json.loads(read(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def kept_secret(path: Path) -> str:
    """Return a random secret, generated once and stored."""
    secret = read(path).strip()
    if len(secret) < 32:
        secret = secrets.token_urlsafe(48)
        write(path, secret + "\n")
    return secret


def free_port(preferred: int | None) -> int:
    """Return the preferred loopback port if it is free, else any free one."""
    for port in (preferred or 0, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def kept_port(note: Path, *, insist: int | None) -> int:
    """Return the port of the last start if it is free, else another; once clients know a port, only that one."""
    last = read_json(note).get("port")
    port = free_port(insist or (last if isinstance(last, int) else None))
    if insist is not None and port != insist:
        raise LaunchError(f"Port {insist} is now in use by another program.")
    return port


def claim(data_dir: Path) -> IO[str]:
    """Create the folder if needed and lock it until the returned file is closed."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True, mode=0o711)  # the database's user may pass through; nobody may list it
    (data_dir / "run").mkdir(exist_ok=True)
    lock = (data_dir / "run" / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise LaunchError(f"Doorstep already runs in {data_dir} (process {holder}).") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock
