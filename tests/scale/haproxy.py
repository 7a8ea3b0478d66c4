"""HAProxy with the configuration that is shipped, in front of two machines."""

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale.lab import Lab, Machine, find_program, get, listens
from tests.scale.sentinels import PASSWORD, Sentinels
from tests.waiting import wait_until

CONFIGURATION: Final = ROOT / "deploy" / "haproxy.cfg"
NOWHERE: Final = "1"  # a port
VALKEY: Final = ROOT / "deploy" / "haproxy-valkey.cfg"


@dataclass
class HAProxy:
    """A running proxy."""

    port: int
    stats: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def servers(self) -> dict[str, str]:
        """Return the state of each web server and process of live updates as the proxy sees it: UP, DOWN."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(self.stats)
            admin.sendall(b"show stat\n")
            lines = b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode().splitlines()
        names = lines[0].lstrip("# ").split(",")
        rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
        return {row["svname"]: row["status"].split()[0] for row in rows if row["pxname"] in ("web", "events")}

    def wait_for(self, name: str, state: str) -> None:
        assert wait_until(lambda: self.servers()[name] == state), self.servers()

    def take_back(self, machine: Machine, number: int) -> None:
        """Start the web server and live updates of a machine that was taken out, and wait until both are used."""
        machine.start("web")
        machine.start("events")
        self.wait_for(f"web{number}", "UP")
        self.wait_for(f"events{number}", "UP")


def environ(port: int, stats: str, machines: tuple[Machine, Machine]) -> dict[str, str]:
    """Return what the configuration takes from the environment."""
    first, second = (f"127.0.0.1:{machine.port}" for machine in machines)
    events = [f"127.0.0.1:{machine.environ.get('EVENTS_PORT', NOWHERE)}" for machine in machines]
    return {
        "LISTEN": f"127.0.0.1:{port}",
        "STATS": stats,
        "WEB_1": first,
        "WEB_2": second,
        "EVENTS_1": events[0],
        "EVENTS_2": events[1],
        "MAXCONN": "400",
    }


def start(lab: Lab, machines: tuple[Machine, Machine]) -> HAProxy:
    """Start HAProxy and wait until it has found both machines ready."""
    port, stats = free_port(), str(lab.folder / "haproxy.sock")
    process = spawn(lab, CONFIGURATION, environ(port, stats, machines))
    made = HAProxy(port, stats)
    lab.wait_for(process, lambda: get(f"{made.url}/healthz")[0] == 200)
    for name in ("web1", "web2"):
        made.wait_for(name, "UP")
    return made


def start_for_valkey(lab: Lab, servers: Sentinels) -> str:
    """Start HAProxy in front of Valkey servers, and return the address of the one that leads."""
    port = free_port()
    first, second = (f"127.0.0.1:{server}" for server in servers.ports)
    given = {"LISTEN": f"127.0.0.1:{port}", "VALKEY_1": first, "VALKEY_2": second, "VALKEY_PASSWORD": PASSWORD}
    lab.wait_for(spawn(lab, VALKEY, given), lambda: listens(port))
    return f"redis://:{PASSWORD}@127.0.0.1:{port}/0"


def spawn(
    lab: Lab, configuration: Path, given: dict[str, str], prefix: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Check a configuration, which must give no warning, and start HAProxy with it."""
    program = find_program("haproxy") or ""
    checked = subprocess.run(
        [program, "-c", "-f", str(configuration)], env=given, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr, checked.stderr
    return lab.spawn(configuration.stem, [*prefix, program, "-db", "-f", str(configuration)], given)
