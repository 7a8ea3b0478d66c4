"""Builds the web application with Node from its wheel, unless nothing has changed."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError

ROOT: Final = Path(__file__).resolve().parents[2]
FRONTEND: Final = ROOT / "frontend"
DIST: Final = FRONTEND / "dist"
OUTPUT_LINES = 15
NOT_SOURCE: Final = {"node_modules", "dist", "coverage", "test-results", "tests"}

Say = Callable[[str], None]


def install(say: Say) -> None:
    """Run `npm ci`, unless node_modules already matches the lock file."""
    wanted = _digest(iter([FRONTEND / "package-lock.json", FRONTEND / "package.json"]))
    note = FRONTEND / "node_modules" / ".doorstep-installed"
    if private_files.read(note).strip() == wanted:
        return
    say("Installing the web application's packages (npm ci) ...")
    note.unlink(missing_ok=True)
    _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    private_files.write(note, wanted, mode=0o644)


def build(say: Say) -> None:
    """Build into frontend/dist, unless it was built from the same files."""
    install(say)
    wanted = _digest(_sources())
    note = FRONTEND / "node_modules" / ".doorstep-built"
    if private_files.read(note).strip() == wanted and (FRONTEND / "dist" / "index.html").exists():
        return
    say("Building the web application ...")
    note.unlink(missing_ok=True)
    _npm("run", "--silent", "build")
    private_files.write(note, wanted, mode=0o644)


def _sources() -> Iterator[Path]:
    for folder, folders, files in os.walk(FRONTEND):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCE and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files))


def _digest(files: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(FRONTEND)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _npm(*arguments: str) -> None:
    programs = Path(sys.executable).parent
    npm = programs / "npm" if (programs / "npm").exists() else shutil.which("npm")
    if npm is None:
        raise LaunchError("npm is not installed; run make to install the locked packages.")
    env = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "CI": "1",
        "NO_COLOR": "1",
        "FORCE_COLOR": "0",
    }
    code, output = processes.run([npm, *arguments], env=env, cwd=FRONTEND)
    if code != 0:
        if "ENOSPC" in output:
            raise LaunchError("The disk is full. Free some space and start again; work done so far is kept.")
        shown = "\n".join(f"    {line}" for line in output.strip().splitlines()[-OUTPUT_LINES:])
        raise LaunchError(f"npm {' '.join(arguments)} failed; the next start continues from here:\n{shown}")


def main() -> int:
    """`python -m backend.launch.frontend [install]`."""
    try:
        (install if sys.argv[1:] == ["install"] else build)(print)
    except LaunchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
