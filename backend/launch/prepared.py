"""Runs `backend.launch.prepare` in a process of its own, for the launcher and for `make upgrade`."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError
from backend.settings import ROOT


@dataclass(frozen=True, slots=True)
class Prepared:
    """The first admin, whose password is empty unless it was just made, and the migrations left for later."""

    username: str
    password: str
    waiting: list[str]


def log(data_dir: Path) -> Path:
    """Return the log of the last preparation."""
    return data_dir / "logs" / "prepare.log"


def prepare(data_dir: Path, environment: Mapping[str, str]) -> Prepared:
    """Prepare the database, and return what `prepare` printed. Raises LaunchError with its last line."""
    with private_files.open_log(log(data_dir)) as errors:
        errors.truncate(0)
        code, output = processes.run(
            [sys.executable, "-m", "backend.launch.prepare"], env=environment, cwd=ROOT, errors=errors
        )
    if code != 0:
        lines = log(data_dir).read_text(errors="replace").strip().splitlines() or ["no message"]
        raise LaunchError(f"The database could not be prepared: {lines[-1]} (see {log(data_dir)})")
    found = json.loads(output.strip().splitlines()[-1])
    return Prepared(found["username"], found["password"] or "", found["waiting"])
