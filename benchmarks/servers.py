"""The servers that the benchmarks stand on: a database of each scale that is kept between runs, a Valkey, Granian."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.session import transaction
from backend.domain.professionals import availability
from backend.launch.embedded import EmbeddedPostgres, EmbeddedValkey
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks.data.filling import fill
from benchmarks.data.scales import SCALES

FOLDER: Final = Path(os.environ.get("BENCH_DIR", Path(__file__).resolve().parent.parent / "data" / "bench"))
START_SECONDS: Final = 60.0
WORKERS: Final = 2
THREADS: Final = 8


def environment(database_url: str, redis_url: str, folder: Path) -> dict[str, str]:
    """The product's settings while it is measured."""
    return {
        "ENV": "development",
        "SECRET_KEY": "only-for-figures-" * 4,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(folder),
        "ADMIN_PASSWORD": "an admin's long password",
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
        "LOG_LEVEL": "error",
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": str(THREADS),
    }


@contextmanager
def postgres(scale: str) -> Iterator[str]:
    """The address of a running database of this scale; it is made and filled the first time."""
    server = EmbeddedPostgres(FOLDER / scale)
    url = server.start()
    try:
        _prepare(url, scale)
        yield url
    finally:
        server.stop()


@contextmanager
def valkey(name: str) -> Iterator[str]:
    """The address of a running Valkey for a stand of this name."""
    server = EmbeddedValkey(FOLDER / f"valkey-{name}")
    try:
        yield server.start()
    finally:
        server.stop()


def _prepare(url: str, scale: str) -> None:
    filled = FOLDER / scale / "filled"
    app = create_app(Settings.from_env(environment(url, "redis://127.0.0.1:1/0", FOLDER / scale)))
    with app.app_context():
        upgrade()  # also one that was filled by an earlier version
    if filled.exists():
        return
    bootstrap.run(app)

    def count() -> int:
        with app.app_context(), transaction():
            return availability.rebuild()

    fill(url, SCALES[scale], recount=count)
    filled.touch()


@contextmanager
def web(target: str, env: Mapping[str, str]) -> Iterator[int]:
    """A Granian with the product's number of workers; yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "granian",
        target,
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    options = ["--workers", str(WORKERS), "--blocking-threads", env["WEB_THREADS"], "--log-level", "error", "--no-ws"]
    process = subprocess.Popen([*command, *options, "--http", "1"], env={**os.environ, **env})
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server did not start")
