"""Files of metrics: one set for each process, and one with the sums of all processes that have exited.

A process holds a lock on its file of counters until it exits, for whatever reason. All containers that share the folder
see the lock, while a process id says nothing in another container.
"""

import contextlib
import fcntl
import os
import socket
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict

FILE_BYTES: Final = 1 << 20
VALUE_BYTES: Final = 32  # the most that a value needs besides its name
ADDED_UP: Final = ("counter", "histogram")
GAUGE: Final = "gauge_livesum"
ENDED: Final = "ended"  # stands for the process in the names of the files with the sums
HOST: Final = socket.gethostname().replace("_", "-")  # containers that share a folder have the same process ids
_held: dict[Path, int] = {}  # the lock of this process, by folder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process that shares the folder from adding or removing files."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough if a process was forked meanwhile


def begin_process(folder: Path) -> str:
    """Create the files of this process and return its name in them. Raises OSError if the disk is full."""
    process = f"{HOST}-{os.getpid()}"
    with locked(folder):
        add_up_ended(folder)
        for kind in (*ADDED_UP, GAUGE):
            _reserve(folder / f"{kind}_{process}.db", FILE_BYTES)
        mine = os.open(folder / f"counter_{process}.db", os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(mine, fcntl.LOCK_EX)
    if folder in _held:
        os.close(_held[folder])  # inherited in a fork; the parent keeps its lock
    _held[folder] = mine
    return process


def add_up_ended(folder: Path) -> None:
    """Add the counts of exited processes to the sums and delete their files. The caller holds ``locked``.

    Counters must not decrease while any process counts, because Prometheus would count the values of the others again.
    If no process is left, all files are deleted, so that all counters restart together.
    """
    files: defaultdict[str, list[Path]] = defaultdict(list)
    for path in folder.glob("*_*.db"):
        files[path.stem.rpartition("_")[2]].append(path)
    alive = {process for process in files if process != ENDED and _is_alive(folder, process)}
    over = [path for process in files.keys() - alive - {ENDED} for path in files[process]]
    if not alive:
        over += files[ENDED]
    elif over:
        for kind in ADDED_UP:
            _add_up(folder, kind, [path for path in over if path.name.startswith(f"{kind}_")])
    for path in over:
        path.unlink(missing_ok=True)


def _is_alive(folder: Path, process: str) -> bool:
    try:
        with (folder / f"counter_{process}.db").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _add_up(folder: Path, kind: str, ended: list[Path]) -> None:
    """Replace the file of sums by one that includes these files."""
    kept, fresh = folder / f"{kind}_{ENDED}.db", folder / f"{kind}_{ENDED}.new"
    sums: defaultdict[str, float] = defaultdict(float)
    for path in (kept, *ended):
        # A file may be empty or cut off, for example by a full disk. Count what can be read.
        with contextlib.suppress(FileNotFoundError, struct.error, RuntimeError, ValueError):
            for name, value, *_ in MmapedDict.read_all_values_from_file(str(path)):
                sums[name] += value
    fresh.unlink(missing_ok=True)
    _reserve(fresh, max(FILE_BYTES, sum(len(name.encode()) + VALUE_BYTES for name in sums)))
    values = MmapedDict(str(fresh))
    for name, value in sums.items():
        values.write_value(name, value, 0.0)
    values.close()
    fresh.replace(kept)


def _reserve(path: Path, size: int) -> None:
    """Allocate the file: writing into a hole of a memory-mapped file on a full disk kills the process (SIGBUS)."""
    with path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, size)
