"""Sources of an earlier version, from the project's own history. An exported tree or a shallow clone has none."""

import io
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Final

from backend.settings import ROOT

# The commit before this file was added is the earlier version. Its code must run with the packages of today.
MIGRATION: Final = "backend/migrations/versions/0041_exports_in_parts.py"
SOURCES: Final = ("backend", "openapi.json", "pyproject.toml")


@cache
def commit_before(path: str) -> str | None:
    """Return the commit before the one that added a file; None without the history."""
    added = _git("log", "--diff-filter=A", "--format=%H", "--", path).decode().split()
    before = _git("rev-parse", "--verify", "--quiet", f"{added[-1]}^") if added else b""
    return before.decode().strip() or None


def copy_sources(commit: str, folder: Path) -> Path:
    """Write the sources of a commit into a folder, and return it."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, *SOURCES))) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(*arguments: str) -> bytes:
    """Return what git writes; nothing where it is missing, or finds nothing."""
    program = shutil.which("git")
    if program is None:
        return b""
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, check=False).stdout
