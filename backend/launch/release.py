"""Copies of what the product's processes run from.

Processes read files of their version long after they have started: modules that are imported when first needed,
templates, pages. A new checkout or build in their folder would mix two versions in one process, so each start copies
what it runs, and a new version gets a copy of its own.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Final

import psutil

from backend.launch import processes
from backend.settings import ROOT

FOLDER: Final = "run/releases"
PARTS: Final = ("backend", "frontend/dist", "openapi.json", "pyproject.toml")
COMPILED: Final = "__pycache__"
IN_USE: Final = ".in-use"  # in a Python environment; also in .ci/in-use


def make(data_dir: Path) -> Path:
    """Return a copy of this checkout's sources and build; an earlier copy of the same files is used again."""
    releases = data_dir / FOLDER
    folder = releases / _name()
    if folder.exists():
        return folder
    beside = releases / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    for part in PARTS:
        source, copy = ROOT / part, beside / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy)  # with compiled files and times, by which Python knows that they are valid
        elif source.exists():
            shutil.copy2(source, copy)
    beside.rename(folder)
    return folder


def drop_others(data_dir: Path, keep: Collection[Path]) -> None:
    """Remove the copies in which no process of this installation runs, except the given ones."""
    used = {folder.resolve() for folder in keep} | set(_working_folders(str(data_dir)))
    for folder in (data_dir / FOLDER).glob("*"):
        if folder.resolve() not in used:
            shutil.rmtree(folder, ignore_errors=True)


def hold(environment: Path) -> IO[str] | None:
    """Keep make from changing the packages of a Python environment until the returned file is closed.

    Nothing is held where the file cannot be written, as in a container's image: nobody changes packages there. Waits
    for a check of whether anybody holds it, which takes no time.
    """
    try:
        file = (environment / IN_USE).open("a")
    except OSError:
        return None
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def drop_environments(home: Path) -> None:
    """Remove the Python environments of earlier upgrades from which nothing runs."""
    for environment in home.glob(".venv-*"):
        if environment.is_dir() and environment != Path(sys.prefix) and not _is_held(environment):
            shutil.rmtree(environment, ignore_errors=True)


def _is_held(environment: Path) -> bool:
    with (environment / IN_USE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _working_folders(mark: str) -> Iterator[Path]:
    for process in processes.marked(mark):
        with contextlib.suppress(psutil.Error):
            yield Path(process.cwd()).resolve()


def _name() -> str:
    """Return a digest of the files' names, sizes and times."""
    digest = hashlib.sha256()
    for part in PARTS:
        for path in sorted(_files(ROOT / part)):
            found = path.stat()
            digest.update(f"{path.relative_to(ROOT)}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16]


def _files(part: Path) -> Iterator[Path]:
    if part.is_file():
        yield part
    for folder, folders, names in os.walk(part):
        folders[:] = [name for name in folders if name != COMPILED]
        yield from (Path(folder, name) for name in names)
