"""How `make upgrade` asks the launcher of the running product to exchange a process: by files in DATA_DIR/run.

The launcher looks for a request twice a second, in the loop in which it watches its processes anyway.
"""

import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError
from backend.settings import VERSION

LAUNCHER: Final = "run/launcher.json"
REQUEST: Final = "run/upgrade.request.json"
RESPONSE: Final = "run/upgrade.response.json"
PROTOCOL: Final = 1  # what the launcher understands; it stays of its version while its processes are upgraded
ANSWER_SECONDS: Final = 60.0

Message = Mapping[str, object]


def announce(data_dir: Path) -> None:
    """Say that this launcher exchanges processes when asked."""
    for name in (REQUEST, RESPONSE):
        (data_dir / name).unlink(missing_ok=True)
    about = {"pid": os.getpid(), "protocol": PROTOCOL, "version": VERSION, "environment": sys.prefix}
    private_files.write(data_dir / LAUNCHER, json.dumps(about))


def withdraw(data_dir: Path) -> None:
    """Say that no launcher runs."""
    (data_dir / LAUNCHER).unlink(missing_ok=True)


def serve(data_dir: Path, handle: Callable[[Message], Message]) -> None:
    """Answer the request that is there, if any; an error becomes its response."""
    path = data_dir / REQUEST
    if not path.exists() or path.stat().st_uid != os.geteuid():
        return
    request = private_files.read_json(path)
    path.unlink()
    try:
        response: Message = handle(request)
    except (LaunchError, OSError, KeyError) as error:
        response = {"error": str(error)}
    private_files.write(data_dir / RESPONSE, json.dumps({**response, "id": request.get("id")}))


@dataclass(frozen=True, slots=True)
class Launcher:
    """The launcher of a running product, seen from another process."""

    data_dir: Path
    pid: int
    version: str

    @classmethod
    def find(cls, data_dir: Path) -> Self:
        """Return the launcher of this folder. Raises LaunchError if none runs, or one that exchanges no processes."""
        about = private_files.read_json(data_dir / LAUNCHER)
        pid = about.get("pid")
        if not isinstance(pid, int) or not psutil.pid_exists(pid):
            raise LaunchError(f"No product that can be upgraded runs in {data_dir}. Start the new version: make run")
        if about.get("protocol") != PROTOCOL:
            raise LaunchError("The running version cannot be upgraded without a pause. Stop it, then: make run")
        return cls(data_dir, pid, str(about.get("version")))

    def ask(self, do: str, name: str, **more: object) -> dict[str, Any]:
        """Send a request and return the response. Raises LaunchError with the launcher's error, or if it ends."""
        request_id = secrets.token_hex(8)
        private_files.write(self.data_dir / REQUEST, json.dumps({"id": request_id, "do": do, "name": name, **more}))

        def response() -> dict[str, Any]:
            found = private_files.read_json(self.data_dir / RESPONSE)
            return found if found.get("id") == request_id else {}

        processes.wait_until(lambda: bool(response()) or not psutil.pid_exists(self.pid), seconds=ANSWER_SECONDS)
        found = response()
        if not found:
            raise LaunchError("The launcher does not respond. See whether make run is still there.")
        if "error" in found:
            raise LaunchError(str(found["error"]))
        return found
