"""What a soak run measures again and again, and what must not grow."""

import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psutil
import psycopg
import redis

Series = list[tuple[float, float]]  # seconds since the start, and the value
HOUR: Final = 3600.0
TABLES: Final = """
    SELECT relname, n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup > 0
"""
CONNECTIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'doorstep_app'"
LAG: Final = """
    SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::float FROM jobs
     WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= now()
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a series may rise. ``an_hour`` scales the rise to an hour; otherwise it is that of the measured time."""

    unit: str
    rise: float
    an_hour: bool = False


LIMITS: Final[Mapping[str, Limit]] = {
    "memory": Limit("MiB private, an hour", 24.0, an_hour=True),
    "descriptors": Limit("open files", 6.0),
    "threads": Limit("threads", 3.0),
    "connections": Limit("connections to PostgreSQL", 4.0),
    "lag": Limit("seconds that the oldest due job waits", 5.0),
    "valkey": Limit("MiB in Valkey, an hour", 24.0, an_hour=True),
    "dead rows": Limit("dead rows of a table", 5000.0),
}


@dataclass
class Samples:
    """Series by measure and name."""

    began: float = field(default_factory=time.monotonic)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)

    def add(self, measure: str, name: str, value: float) -> None:
        self.series.setdefault((measure, name), []).append((time.monotonic() - self.began, value))

    def take(self, processes: Mapping[str, subprocess.Popen[bytes]], database: str, valkey: str) -> None:
        """Measure the processes with their children, the database and Valkey once."""
        for name, process in _all_processes(processes):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                self.add("memory", name, process.memory_full_info().uss / 2**20)
                self.add("descriptors", name, process.num_fds())
                self.add("threads", name, process.num_threads())
        with psycopg.connect(database) as connection:
            for measure, query in (("connections", CONNECTIONS), ("lag", LAG)):
                found = connection.execute(query).fetchone()
                self.add(measure, "all", float(found[0]) if found else 0.0)
            for table, dead in connection.execute(TABLES).fetchall():
                self.add("dead rows", table, dead)
        with redis.Redis.from_url(valkey) as client:
            self.add("valkey", "all", client.info("memory")["used_memory"] / 2**20)

    def kept(self, *, warm_up: float, until: float) -> Iterator[tuple[str, str, Series]]:
        """Return what was measured after the warm-up, of those that were there from its end until the end."""
        for (measure, name), series in sorted(self.series.items()):
            later = [(at, value) for at, value in series if at >= warm_up]
            if len(later) > 3 and later[-1][0] - later[0][0] > 0.8 * (until - warm_up):
                yield measure, name, later


def rise(series: Sequence[tuple[float, float]], limit: Limit) -> float:
    """Return how far a series rises, by linear regression, in the limit's unit."""
    slope = statistics.linear_regression([at for at, _ in series], [value for _, value in series]).slope
    return slope * (HOUR if limit.an_hour else series[-1][0] - series[0][0])


def grows(kept: Iterable[tuple[str, str, Series]]) -> Iterator[str]:
    """Name what rises further than its limit."""
    for measure, name, series in kept:
        limit = LIMITS[measure]
        if (found := rise(series, limit)) > limit.rise:
            yield f"{measure} of {name}: {found:+.1f} {limit.unit}, at most {limit.rise:g}"


def _all_processes(roots: Mapping[str, subprocess.Popen[bytes]]) -> Iterator[tuple[str, psutil.Process]]:
    for name, root in roots.items():
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(root.pid)
            yield f"{name} {parent.pid}", parent
            for child in parent.children(recursive=True):
                yield f"{name} child {child.pid}", child
