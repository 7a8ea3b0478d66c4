"""A machine in a network namespace of its own, joined to the database by a link that can be cut.

Two namespaces hang in a user namespace, so that no privilege is needed: the hub, where the database is reached, and the
machine. Neither has a way out: relays pass connections on over sockets in the file system.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.scale.lab import SYSTEM_PATH, Lab, Machine, find_program, listens
from tests.waiting import wait_until

HUB, MACHINE = "10.9.0.1", "10.9.0.2"
LINK, FAR_LINK = "link0", "link1"
ENTER: Final = ("--user", "--net", "--preserve-credentials")


@cache
def are_possible() -> bool:
    """Return whether this user may make user and network namespaces with links between them."""
    programs = [find_program(name) for name in ("unshare", "nsenter", "ip")]
    if None in programs:
        return False
    command = [str(programs[0]), "-rn", str(programs[2]), "link", "add", LINK, "type", "veth", "peer", "name", FAR_LINK]
    done = subprocess.run(command, env={**os.environ, "PATH": SYSTEM_PATH}, capture_output=True, check=False)
    return done.returncode == 0


class IsolatedMachine:
    """The namespaces of one machine, and the link between it and the database."""

    def __init__(self, lab: Lab, *, database: str, valkey: str, web_port: int) -> None:
        self._lab, self._folder = lab, lab.folder
        self._flag = self._folder / "cut-at-commit"
        self._hub = self._hold("hub", "-rn")
        self._machine = self._hold("isolated", "-n", prefix=self._enter(self._hub))
        self._make_link()
        ports = {"database": urlsplit(database).port, "valkey": urlsplit(valkey).port, "web": web_port}
        at = {name: f"tcp:127.0.0.1:{port}" for name, port in ports.items()}
        sockets = {name: f"unix:{self._folder / name}.socket" for name in ports}
        self._relay(
            "outside",
            (),
            sockets["database"],
            at["database"],
            sockets["valkey"],
            at["valkey"],
            at["web"],
            sockets["web"],
        )
        self._relay("hub", self._enter(self._hub), f"tcp:{HUB}:{ports['database']}", sockets["database"])
        self._relay("isolated", self.enter, at["valkey"], sockets["valkey"], sockets["web"], at["web"])
        assert wait_until(lambda: listens(web_port) and all(Path(path[5:]).exists() for path in sockets.values()))
        self.database = database.replace("127.0.0.1", HUB)

    @property
    def enter(self) -> tuple[str, ...]:
        """Return the command that runs another one on the machine."""
        return self._enter(self._machine)

    def put(self, machine: Machine) -> None:
        """Have a machine's processes run here."""
        machine.prefix = self.enter

    def cut(self) -> None:
        """Take the link down: packets are lost, and no connection is closed."""
        self._run(self._hub, "link", "set", LINK, "down")

    def cut_at_commit(self) -> None:
        """Take the link down when the database has committed next, before its answer gets through."""
        self._flag.touch()

    def restore(self) -> None:
        self._run(self._hub, "link", "set", LINK, "up")

    def _make_link(self) -> None:
        far = ("netns", str(self._machine.pid))
        self._run(self._hub, "link", "add", LINK, "type", "veth", "peer", "name", FAR_LINK, *far)
        for holder, link, address in ((self._hub, LINK, HUB), (self._machine, FAR_LINK, MACHINE)):
            self._run(holder, "address", "add", f"{address}/24", "dev", link)
            for name in (link, "lo"):
                self._run(holder, "link", "set", name, "up")

    def _hold(self, name: str, option: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a process that keeps new namespaces, and wait until it has them."""
        command = [*prefix, find_program("unshare") or "", option, "sleep", "infinity"]
        process = self._lab.spawn(f"{name}-namespace", command, {})
        self._lab.wait_for(process, lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        return process

    def _relay(self, name: str, prefix: tuple[str, ...], *addresses: str) -> None:
        environ = {"CUT_FLAG": str(self._flag), "CUT_LINK": LINK} if name == "hub" else {}
        command = [*prefix, sys.executable, "-m", "tests.scale.relay", *addresses]
        self._lab.spawn(f"{name}-relay", command, environ)

    @staticmethod
    def _enter(holder: subprocess.Popen[bytes]) -> tuple[str, ...]:
        return (find_program("nsenter") or "", "--target", str(holder.pid), *ENTER)

    def _run(self, holder: subprocess.Popen[bytes], *arguments: str) -> None:
        command = [*self._enter(holder), find_program("ip") or "", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
