"""What each process reports about itself every few seconds: CPU, memory, connections, password checks, breakers."""

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

import psutil
import structlog

from backend.core import circuit_breaker
from backend.core.observability import metrics

if TYPE_CHECKING:  # beat and live updates have no database, and load none of its libraries
    from flask import Flask

    from backend.core.db.replica import Replica
    from backend.core.db.session import PoolUsage
    from backend.core.security.password_hashing import BoundedPasswordHasher

log = structlog.get_logger(__name__)
SAMPLE_SECONDS: Final = 5.0
HASHING: Final = "hashing"


class _Pool(Protocol):
    def usage(self) -> "PoolUsage": ...


def start(kind: str, app: "Flask | None" = None) -> None:
    """Start sampling in a thread of this process, after ``metrics.begin``; call it again in a forked process.

    ``app``: the application whose connections and password checks are sampled, where the process has one.
    """
    sampler = Sampler(kind, app)
    threading.Thread(target=sampler.run, name="process-metrics", daemon=True).start()


class Sampler:
    """Samples this process."""

    def __init__(self, kind: str, app: "Flask | None" = None) -> None:
        self._kind = kind
        self._process = psutil.Process()
        self._used: dict[int, float] = {}  # CPU seconds counted so far, by process id
        self._hasher: BoundedPasswordHasher | None = app.extensions["passwords"] if app else None
        self._pools: dict[str, _Pool] = {}
        self._app = app
        self._replica: Replica | None = app.extensions.get("replica") if app else None

    def run(self) -> None:
        """Sample until the process ends."""
        while True:
            try:
                self.sample()
            except Exception as error:  # noqa: BLE001 - the next sample may work; counting must not end
                log.warning("metrics.sample_failed", error=repr(error))
            time.sleep(SAMPLE_SECONDS)

    def sample(self) -> None:
        """Sample once."""
        pools = self._usage()
        with metrics.guarded_from_fork:
            self._sample_process(self._process, self._kind)
            self._sample_hashing()
            for name, usage in pools.items():
                metrics.sampled("db_connections_limit", usage.limit, name)
                metrics.sampled("db_connections_in_use", usage.in_use, name)
                metrics.sampled("db_pool_waiting", usage.waiting, name)
            for name, number in circuit_breaker.open_by_name().items():
                metrics.sampled("circuit_breakers_open", number, name)

    def _sample_process(self, process: psutil.Process, kind: str) -> float:
        """Count the CPU time since the last sample, and return the resident memory."""
        with process.oneshot():
            times, memory = process.cpu_times(), float(process.memory_info().rss)
        used = float(times.user + times.system)
        metrics.used_cpu(kind=kind, seconds=max(0.0, used - self._used.get(process.pid, 0.0)))
        self._used[process.pid] = used
        if kind != HASHING:
            metrics.sampled("process_resident_memory_bytes", memory, kind)
        return memory

    def _sample_hashing(self) -> None:
        if self._hasher is None:
            return
        metrics.sampled("password_checks_in_progress", self._hasher.queue.in_use)
        metrics.sampled("password_checks_waiting", self._hasher.queue.waiting)
        memory = 0.0
        for pid in self._hasher.worker_pids():
            with contextlib.suppress(psutil.Error):  # it may have ended just now
                memory += self._sample_process(psutil.Process(pid), HASHING)
        metrics.sampled("process_resident_memory_bytes", memory, HASHING)

    def _usage(self) -> "dict[str, PoolUsage]":
        if self._app is None:
            return {}
        if not self._pools:
            from backend.core.db.session import CountedPool, db

            with self._app.app_context():
                pool = db.engine.pool
            if isinstance(pool, CountedPool):
                self._pools["session"] = pool
            self._pools["reads"] = self._app.extensions["reads"]
            if self._replica is not None:
                self._pools["replica"] = self._replica
        return {name: pool.usage() for name, pool in self._pools.items()}
