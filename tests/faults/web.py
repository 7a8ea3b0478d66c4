"""A web server for fault tests, whose processes can be killed."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from backend.launch import processes
from backend.launch.private_files import free_port
from tests.faults.processes import ROOT
from tests.waiting import wait_until


@dataclass
class Web:
    """A web server on the test's database."""

    process: subprocess.Popen[bytes]
    url: str

    def is_ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def kill_one(self) -> None:
        """Kill one of the web processes with SIGKILL; its parent starts another."""
        for child in psutil.Process(self.process.pid).children()[:1]:
            child.kill()


@contextmanager
def web_server(environ: Mapping[str, str], folder: Path, *command: str) -> Iterator[Web]:
    """Start a web server that ends with the block. ``folder`` becomes its DATA_DIR and holds its log.

    ``command`` is what Python runs in place of the product's own server.
    """
    port, log = free_port(None), folder / "web.log"
    env = {**os.environ, **environ, "PORT": str(port), "DATA_DIR": str(folder)}
    with running(log, env, *(command or ("-m", "backend.wsgi"))) as process:
        served = Web(process, f"http://127.0.0.1:{port}")
        assert wait_until(served.is_ready), log.read_text()
        yield served


@contextmanager
def running(log: Path, env: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run what Python is given as arguments until the end of the block, and print the end of its log then."""
    with log.open("ab") as output:
        process = processes.spawn([sys.executable, *command], env=env, output=output.fileno(), cwd=ROOT)
    try:
        yield process
    finally:
        processes.end(process, first=signal.SIGTERM, patience=5)
        print(log.read_text(errors="replace")[-6000:])


# Granian gives up when one process dies twice within seconds. Here each is followed by another, as often as it takes.
IMMORTAL: Final = """
import os, socket
from werkzeug.serving import make_server
import backend.app

listening = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
while True:
    child = os.fork()
    if child == 0:
        from backend.wsgi import app
        make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno()).serve_forever()
    os.waitpid(child, 0)
"""


def immortal_server(environ: Mapping[str, str], folder: Path) -> AbstractContextManager[Web]:
    """Start a server of one web process that is replaced each time it dies; connections wait for the next one."""
    return web_server(environ, folder, "-c", IMMORTAL)
