"""Two Valkey servers and three Sentinels on loopback, all of them the program of the wheel."""

import contextlib
import subprocess
from pathlib import Path
from typing import Final

import redis

from backend.launch import wheels
from tests.factories.servers import free_port
from tests.scale.lab import Lab, listens
from tests.waiting import wait_until

SERVICE: Final = "market"
PASSWORD, SENTINEL_PASSWORD = "password-of-the-servers", "password-of-the-sentinels"
SILENT_MS: Final = 2000  # after which Sentinels choose another leader


class Sentinels:
    """The servers by their ports, and what the Sentinels know of them."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.ports = (free_port(), free_port())
        self.sentinel_ports = (free_port(), free_port(), free_port())
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        leader, other = self.ports
        self.start_server(leader)
        self.start_server(other, f"replicaof 127.0.0.1 {leader}")
        for port in self.sentinel_ports:
            self._start(port, _sentinel_lines(port, leader), "--sentinel")
        self.wait_until_calm()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"sentinel://:{PASSWORD}@{hosts}/{SERVICE}/0?sentinel_password={SENTINEL_PASSWORD}"

    def start_server(self, port: int, *more: str) -> None:
        passwords = (f"requirepass {PASSWORD}", f"primaryauth {PASSWORD}")
        self._start(port, ['save ""', "repl-diskless-sync-delay 0", *passwords, *more])

    def server(self, port: int, database: int = 0) -> redis.Redis:
        return redis.Redis(port=port, password=PASSWORD, db=database, socket_timeout=5, socket_connect_timeout=5)

    def leader(self) -> int:
        """Return the port of the server that most Sentinels say leads; 0 while they do not agree."""
        named = [port for port in map(self._leader_of, self.sentinel_ports) if port]
        return next((port for port in self.ports if named.count(port) >= 2), 0)

    def wait_until_calm(self) -> int:
        """Wait until one server leads, the other follows and all Sentinels know it; return the leader's port."""
        assert wait_until(self._is_calm), [self._view(port) for port in self.sentinel_ports]
        return self.leader()

    def kill_leader(self) -> int:
        """Kill the server that leads, and return its port."""
        port = self.wait_until_calm()
        process = self._running[port]
        process.kill()
        process.wait()
        return port

    def hand_over(self) -> int:
        """Let the Sentinels make the other server lead while both run, and return the port of the old leader.

        Asked again until it is so: a Sentinel that has not heard of the order yet may undo the change.
        """
        old = self.wait_until_calm()
        assert wait_until(lambda: self._has_left(old), pause=0.5)
        return old

    def wait_for_other_leader(self, old: int) -> int:
        """Wait until another server leads and takes writes, and return its port."""
        (new,) = set(self.ports) - {old}
        assert wait_until(lambda: self.leader() == new and _role(self.server(new)) == "master")
        return new

    def _has_left(self, old: int) -> bool:
        asked = self.sentinel_ports[0]
        if self._leader_of(asked) == old:
            with contextlib.suppress(redis.ResponseError):  # one is under way, or no replica is good enough yet
                self._sentinel(asked).sentinel_failover(SERVICE)
        return self.leader() not in {0, old}

    def _is_calm(self) -> bool:
        leader = self.leader()
        if not leader or _role(self.server(leader)) != "master":
            return False
        try:
            views = [self._view(port) for port in self.sentinel_ports]
            (other,) = set(self.ports) - {leader}
            about = self.server(other).info("replication")
            replicas = [self._sentinel(port).sentinel_slaves(SERVICE) for port in self.sentinel_ports]
        except redis.RedisError:
            return False
        follows = about["role"] == "slave" and about["master_port"] == leader and about["master_link_status"] == "up"
        known = {(view["flags"], view["num-slaves"], view["num-other-sentinels"]) for view in views}
        seen = {(one["flags"], one["role-reported"]) for found in replicas for one in found}
        return follows and known == {("master", 1, 2)} and seen == {("slave", "slave")}

    def _view(self, port: int) -> dict[str, object]:
        return dict(self._sentinel(port).sentinel_master(SERVICE))  # type: ignore[arg-type]  # redis: also a bool

    def _leader_of(self, port: int) -> int:
        try:
            found = self._sentinel(port).sentinel_get_master_addr_by_name(SERVICE)
        except redis.RedisError:
            return 0
        return int(found[1]) if isinstance(found, tuple) else 0

    @staticmethod
    def _sentinel(port: int) -> redis.Redis:
        return redis.Redis(
            port=port, password=SENTINEL_PASSWORD, decode_responses=True, socket_timeout=5, socket_connect_timeout=5
        )

    def _start(self, port: int, lines: list[str], *options: str) -> None:
        folder: Path = self._lab.folder / f"valkey-{port}"
        folder.mkdir(exist_ok=True)
        configuration = folder / "valkey.conf"
        own = [f"port {port}", "bind 127.0.0.1", f"dir {folder}", *lines]
        configuration.write_text("\n".join(own) + "\n")
        argv = [str(wheels.valkey_server()), str(configuration), *options]
        self._running[port] = process = self._lab.spawn(folder.name, argv, {})
        self._lab.wait_for(process, lambda: listens(port))


def _sentinel_lines(port: int, leader: int) -> list[str]:
    return [
        f"requirepass {SENTINEL_PASSWORD}",
        f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
        f"sentinel monitor {SERVICE} 127.0.0.1 {leader} 2",
        f"sentinel auth-pass {SERVICE} {PASSWORD}",
        f"sentinel down-after-milliseconds {SERVICE} {SILENT_MS}",
        f"sentinel failover-timeout {SERVICE} 5000",
    ]


def _role(server: redis.Redis) -> str:
    try:
        return str(server.info("replication")["role"])
    except redis.RedisError:
        return ""
