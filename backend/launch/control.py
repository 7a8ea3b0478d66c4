"""How `make upgrade` asks the launcher of the running product to replace a process: by files in DATA_DIR/run.

The launcher looks for a request twice a second, in the loop in which it watches its processes anyway.
"""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import psutil

from backend.launch import private_files, processes
from backend.launch.errors import LaunchError
from backend.settings import VERSION, Settings

LAUNCHER: Final = "run/launcher.json"
REQUEST: Final = "run/upgrade.request.json"
RESPONSE: Final = "run/upgrade.response.json"
PROTOCOL: Final = 1  # what the launcher understands; it stays of its version while its processes are upgraded
ANSWER_SECONDS: Final = 60.0
SETTINGS: Final = frozenset(field.name.upper() for field in fields(Settings))

Message = Mapping[str, object]


def is_setting(name: str) -> bool:
    """Return whether an environment variable is a setting, or names the file that has its value."""
    return name in SETTINGS or name.removesuffix("_FILE") in SETTINGS


def web_address(settings: Settings) -> str:
    """Return where the web server listens."""
    return f"{settings.host}:{settings.port}"


def announce(settings: Settings) -> None:
    """Say that this launcher replaces processes when asked, and where its web server listens."""
    data_dir = settings.data_dir
    for name in (REQUEST, RESPONSE):
        (data_dir / name).unlink(missing_ok=True)
    about = {"pid": os.getpid(), "protocol": PROTOCOL, "version": VERSION, "address": web_address(settings)}
    private_files.write(data_dir / LAUNCHER, json.dumps(about))


def withdraw(data_dir: Path) -> None:
    """Say that no launcher runs."""
    (data_dir / LAUNCHER).unlink(missing_ok=True)


def serve(data_dir: Path, handle: Callable[[Message], Message]) -> None:
    """Answer the request that is there, if any; an error becomes its response.

    Raises OSError if the response cannot be written.
    """
    path = data_dir / REQUEST
    if not path.exists() or path.stat().st_uid != os.geteuid():
        return
    request = private_files.read_json(path)
    path.unlink()
    try:
        response: Message = handle(request)
    except (LaunchError, OSError) as error:
        response = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a request, the product goes on
        response = {"error": f"The launcher cannot execute {request.get('do')!r}: {error!r}"}
    private_files.write(data_dir / RESPONSE, json.dumps({**response, "id": request.get("id")}))


@dataclass(frozen=True, slots=True)
class Launcher:
    """The launcher of a running product, seen from another process."""

    data_dir: Path
    pid: int
    version: str
    address: str

    @classmethod
    def find(cls, data_dir: Path) -> Self:
        """Return the launcher of this folder. Raises LaunchError if none runs, or one that replaces no processes."""
        about = private_files.read_json(data_dir / LAUNCHER)
        pid = about.get("pid")
        if not isinstance(pid, int) or not psutil.pid_exists(pid):
            raise LaunchError(f"No product that can be upgraded runs in {data_dir}. Start the new version: make run")
        if about.get("protocol") != PROTOCOL:
            raise LaunchError("The running version cannot be upgraded without a pause. Stop it, then: make run")
        return cls(data_dir, pid, str(about.get("version")), str(about.get("address")))

    def settings(self) -> dict[str, str]:
        """Return the settings in the environment of the launcher: new processes run with them, whatever ours are.

        Raises LaunchError if it belongs to another user, whose requests it would not execute either.
        """
        try:
            launcher = psutil.Process(self.pid)
            if launcher.uids().effective != os.geteuid():
                raise LaunchError(f"The product runs as {launcher.username()}. Run make upgrade as that user.")
            environment = launcher.environ()
        except psutil.Error as error:
            raise LaunchError(f"The launcher (process {self.pid}) cannot be examined: {error}") from None
        return {name: value for name, value in environment.items() if is_setting(name)}

    def ask(self, do: str, name: str, **more: object) -> Message:
        """Send a request and return the response. Raises LaunchError with the launcher's error, or if it ends."""
        request_id = secrets.token_hex(8)
        about = {"id": request_id, "do": do, "name": name, "asker": os.getpid()}
        private_files.write(self.data_dir / REQUEST, json.dumps({**about, **more}))

        def response() -> Message:
            found = private_files.read_json(self.data_dir / RESPONSE)
            return found if found.get("id") == request_id else {}

        processes.wait_until(lambda: bool(response()) or not psutil.pid_exists(self.pid), seconds=ANSWER_SECONDS)
        found = response()
        if not found:
            (self.data_dir / REQUEST).unlink(missing_ok=True)  # nobody would wait for what it does later
            raise LaunchError("The launcher does not respond. See whether make run is still there.")
        if "error" in found:
            raise LaunchError(str(found["error"]))
        return found
