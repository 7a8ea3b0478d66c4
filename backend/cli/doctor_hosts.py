"""Which of several database hosts accepts writes, and how far the others are behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CONNECT_SECONDS: Final = 3
MUCH_BEHIND_BYTES: Final = 64 << 20  # four segments of the write-ahead log
STATE: Final = """
    SELECT pg_is_in_recovery(),
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn
"""


@dataclass(frozen=True, slots=True)
class Host:
    """One host as it answered. ``position``: bytes of the log written, or replayed; None if it did not answer."""

    name: str
    is_primary: bool
    position: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all hosts are, in words; ``error`` and ``warning`` are "" if there is nothing to say."""

    summary: str
    error: str
    warning: str


def addresses(url: str) -> list[tuple[str, str]]:
    """Return host and port of each host that a database's URL names."""
    given = conninfo_to_dict(url)
    hosts = str(given.get("host") or given.get("hostaddr") or "").split(",")
    ports = str(given.get("port") or "").split(",")
    return [(host, ports[place if len(ports) > 1 else 0] or "5432") for place, host in enumerate(hosts)]


def ask(url: str) -> Iterator[Host]:
    """Ask each host of the URL by itself."""
    given = conninfo_to_dict(url)
    for name in ("hostaddr", "load_balance_hosts"):
        given.pop(name, None)
    for host, port in addresses(url):
        alone = {**given, "host": host, "port": port, "target_session_attrs": "any", "connect_timeout": CONNECT_SECONDS}
        name = f"{host}:{port}"
        try:
            with psycopg.connect(make_conninfo("", **alone), prepare_threshold=None) as connection:
                row = connection.execute(STATE).fetchone()
        except psycopg.Error:
            row = None
        yield Host(name, is_primary=row is not None and not row[0], position=None if row is None else int(row[1] or 0))


def judge(hosts: list[Host]) -> Verdict:
    """Say which host is what, and what is wrong with it."""
    primaries = [host for host in hosts if host.is_primary]
    newest = max((host.position or 0 for host in primaries), default=None)
    parts, warnings = [], []
    for host in hosts:
        if host.position is None:
            parts.append(f"{host.name} does not answer")
            warnings.append(f"{host.name} does not answer.")
        elif host.is_primary:
            parts.append(f"{host.name} is the primary")
        else:
            part, behind = _standby(host.name, host.position, newest)
            parts.append(part)
            if behind is not None and behind > MUCH_BEHIND_BYTES:
                warnings.append(f"{host.name} is {_size(behind)} behind: a failover would lose it, or wait for it.")
    error = ""
    if not primaries:
        error = "No host accepts writes. Promote a standby, or start the primary."
    elif len(primaries) > 1:
        names = " and ".join(host.name for host in primaries)
        error = f"{names} accept writes, so data is divided. Stop all but one at once, and compare them."
    return Verdict("; ".join(parts), error, " ".join(warnings))


def judge_replicas(hosts: list[Host], replicas: list[Host]) -> Verdict:
    """Say what each host of DATABASE_REPLICA_URL is, compared with those of DATABASE_URL. None of it is an error."""
    newest = max((host.position or 0 for host in hosts if host.is_primary), default=None)
    parts, warnings = [], []
    for host in replicas:
        if host.position is None:
            parts.append(f"{host.name} does not answer")
            warnings.append(f"{host.name} does not answer: what it would be asked is read from the primary.")
        elif host.is_primary:
            parts.append(f"{host.name} accepts writes")
            warnings.append(f"{host.name} is no standby: reads from it take nothing off the primary.")
        else:
            parts.append(_standby(host.name, host.position, newest)[0])
    return Verdict("; ".join(parts), "", " ".join(warnings))


def _standby(name: str, position: int, newest: int | None) -> tuple[str, int | None]:
    """Return the words for a standby, and how many bytes it is behind, if a primary answered."""
    behind = None if newest is None else max(0, newest - position)
    return f"{name} is a standby{'' if behind is None else f', {_size(behind)} behind'}", behind


def _size(number: int) -> str:
    return f"{number / (1 << 20):.1f} MiB" if number >= 1 << 20 else f"{number / 1024:.0f} KiB"
