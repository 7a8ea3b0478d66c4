"""HAProxy with the configuration that is shipped, in front of two machines."""

import socket
import subprocess
from dataclasses import dataclass
from typing import Final

from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale.lab import Lab, Machine, find_program, get
from tests.waiting import wait_until

CONFIGURATION: Final = ROOT / "deploy" / "haproxy.cfg"


@dataclass
class HAProxy:
    """A running proxy."""

    port: int
    stats: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def servers(self) -> dict[str, str]:
        """Return the state of each web machine as the proxy sees it: UP, DOWN."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(self.stats)
            admin.sendall(b"show stat\n")
            lines = b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode().splitlines()
        names = lines[0].lstrip("# ").split(",")
        rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
        return {row["svname"]: row["status"].split()[0] for row in rows if row["pxname"] == "web"}

    def wait_for(self, name: str, state: str) -> None:
        assert wait_until(lambda: self.servers()[name] == state), self.servers()


def environ(port: int, stats: str, machines: tuple[Machine, Machine]) -> dict[str, str]:
    """Return what the configuration takes from the environment."""
    first, second = (f"127.0.0.1:{machine.port}" for machine in machines)
    nowhere = "127.0.0.1:1"
    return {
        "LISTEN": f"127.0.0.1:{port}",
        "STATS": stats,
        "WEB_1": first,
        "WEB_2": second,
        "EVENTS_1": nowhere,
        "EVENTS_2": nowhere,
        "MAXCONN": "400",
    }


def start(lab: Lab, machines: tuple[Machine, Machine]) -> HAProxy:
    """Start HAProxy and wait until it has found both machines ready."""
    program, port, stats = find_program("haproxy") or "", free_port(), str(lab.folder / "haproxy.sock")
    given = environ(port, stats, machines)
    checked = subprocess.run(
        [program, "-c", "-f", str(CONFIGURATION)], env=given, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr, checked.stderr
    process = lab.spawn("haproxy", [program, "-db", "-f", str(CONFIGURATION)], given)
    made = HAProxy(port, stats)
    lab.wait_for(process, lambda: get(f"{made.url}/healthz")[0] == 200)
    for name in ("web1", "web2"):
        made.wait_for(name, "UP")
    return made
