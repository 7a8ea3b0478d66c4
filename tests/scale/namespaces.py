"""A machine in a network namespace of its own, joined to the database by a link that can be cut.

Two namespaces hang in a user namespace, so that no privilege is needed: the hub, where the database is reached, and the
machine. Neither has a way out: relays pass connections on over sockets in the file system. An ordinary user appears as
root there; a program that refuses to run as root gets one more user namespace.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.scale.lab import SYSTEM_PATH, Lab, Machine, find_program, listens
from tests.waiting import wait_until

HUB, MACHINE = "10.9.0.1", "10.9.0.2"
LINK, FAR_LINK = "link0", "link1"
ENTER: Final = ("--user", "--net", "--preserve-credentials")
AS_NOBODY: Final = ("--user", "--map-user=65534", "--map-group=65534")


@cache
def are_possible() -> bool:
    """Return whether this user may make user and network namespaces with links between them."""
    programs = [find_program(name) for name in ("unshare", "nsenter", "ip")]
    if None in programs:
        return False
    command = [str(programs[0]), "-rn", str(programs[2]), "link", "add", LINK, "type", "veth", "peer", "name", FAR_LINK]
    done = subprocess.run(command, env={**os.environ, "PATH": SYSTEM_PATH}, capture_output=True, check=False)
    return done.returncode == 0


class Link:
    """Two namespaces, hub and machine, and the link between them, which can be cut."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._hub = self._hold("hub", "-rn")
        self._machine = self._hold("isolated", "-n", prefix=self.enter_hub)
        far = ("netns", str(self._machine.pid))
        self._run(self._hub, "link", "add", LINK, "type", "veth", "peer", "name", FAR_LINK, *far)
        for holder, link, address in ((self._hub, LINK, HUB), (self._machine, FAR_LINK, MACHINE)):
            self._run(holder, "address", "add", f"{address}/24", "dev", link)
            for name in (link, "lo"):
                self._run(holder, "link", "set", name, "up")

    @property
    def enter(self) -> tuple[str, ...]:
        """Return the command that runs another one on the machine."""
        return self._enter(self._machine)

    @property
    def enter_hub(self) -> tuple[str, ...]:
        """Return the command that runs another one in the hub."""
        return self._enter(self._hub)

    def cut(self) -> None:
        """Take the link down: packets are lost, and no connection is closed."""
        self._run(self._hub, "link", "set", LINK, "down")

    def restore(self) -> None:
        self._run(self._hub, "link", "set", LINK, "up")

    def publish(self, ports: Mapping[int, str]) -> None:
        """Let the outside reach these ports, on loopback under the same numbers; a cut does not concern them."""
        sockets = {port: f"unix:{self._lab.folder / str(port)}.socket" for port in ports}
        self.relay("outside", (), *(end for port in ports for end in (f"tcp:127.0.0.1:{port}", sockets[port])))
        for address, name, prefix in ((HUB, "hub", self.enter_hub), (MACHINE, "isolated", self.enter)):
            here = [port for port, where in ports.items() if where == address]
            self.relay(name, prefix, *(end for port in here for end in (sockets[port], f"tcp:{address}:{port}")))
        assert wait_until(
            lambda: all(map(listens, ports)) and all(Path(path[5:]).exists() for path in sockets.values())
        )

    def relay(self, name: str, prefix: tuple[str, ...], *addresses: str, **environ: str) -> None:
        command = [*prefix, sys.executable, "-m", "tests.scale.relay", *addresses]
        self._lab.spawn(f"{name}-relay", command, environ)

    def _hold(self, name: str, option: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a process that keeps new namespaces, and wait until it has them."""
        command = [*prefix, find_program("unshare") or "", option, "sleep", "infinity"]
        process = self._lab.spawn(f"{name}-namespace", command, {})
        self._lab.wait_for(process, lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        return process

    @staticmethod
    def _enter(holder: subprocess.Popen[bytes]) -> tuple[str, ...]:
        return (find_program("nsenter") or "", "--target", str(holder.pid), *ENTER)

    def _run(self, holder: subprocess.Popen[bytes], *arguments: str) -> None:
        command = [*self._enter(holder), find_program("ip") or "", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"


class IsolatedMachine(Link):
    """A machine whose only way to the database is a link that can be cut."""

    def __init__(self, lab: Lab, *, database: str, valkey: str, web_port: int) -> None:
        super().__init__(lab)
        self._flag = lab.folder / "cut-at-commit"
        ports = {"database": urlsplit(database).port, "valkey": urlsplit(valkey).port, "web": web_port}
        at = {name: f"tcp:127.0.0.1:{port}" for name, port in ports.items()}
        sockets = {name: f"unix:{lab.folder / name}.socket" for name in ports}
        self.relay(
            "outside",
            (),
            sockets["database"],
            at["database"],
            sockets["valkey"],
            at["valkey"],
            at["web"],
            sockets["web"],
        )
        hub = (f"tcp:{HUB}:{ports['database']}", sockets["database"])
        self.relay("hub", self.enter_hub, *hub, CUT_FLAG=str(self._flag), CUT_LINK=LINK)
        self.relay("isolated", self.enter, at["valkey"], sockets["valkey"], sockets["web"], at["web"])
        assert wait_until(lambda: listens(web_port) and all(Path(path[5:]).exists() for path in sockets.values()))
        self.database = database.replace("127.0.0.1", HUB)

    def put(self, machine: Machine) -> None:
        """Have a machine's processes run here."""
        machine.prefix = self.enter

    def cut_at_commit(self) -> None:
        """Take the link down when the database has committed next, before its answer gets through."""
        self._flag.touch()


def without_root(prefix: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command that runs another one in namespaces, as a user that is not root there."""
    return (*prefix, find_program("unshare") or "", *AS_NOBODY)
