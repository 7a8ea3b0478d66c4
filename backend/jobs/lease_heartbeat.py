"""Renews the leases of running jobs while this process is alive; a killed worker's jobs are free within seconds."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy import Engine, text

from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.queue import Lease
from backend.jobs import health

log = structlog.get_logger(__name__)
# A row that is locked is being finished or released, and nobody else can claim it until then. Waiting for it would
# deadlock with a release of several jobs, which locks them one after the other.
RENEW: Final = text("""
    UPDATE jobs SET lease_until = now() + make_interval(secs => :seconds)
     WHERE id IN (SELECT id FROM jobs
                   WHERE id = ANY(:ids) AND lease_token = ANY(CAST(:tokens AS uuid[]))
                     AND done_at IS NULL AND lease_until IS NOT NULL
                     FOR UPDATE SKIP LOCKED)
""")


class LeaseHeartbeat:
    """Renews leases from a thread that dies with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, Lease] = {}
        self._pid = 0

    @contextmanager
    def renewing(self, leases: Sequence[Lease]) -> Iterator[None]:
        """Renew these leases until the block ends."""
        self._start(db.engine, current_settings().job_lease_seconds)
        with self._lock:
            self._held.update({lease.job_id: lease for lease in leases})
        try:
            yield
        finally:
            with self._lock:
                for lease in leases:
                    self._held.pop(lease.job_id, None)

    def _start(self, engine: Engine, lease_seconds: int) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()  # threads do not survive a fork
            self._held = {}
            arguments = (engine, lease_seconds)
            threading.Thread(target=self._renew, args=arguments, name="lease-heartbeat", daemon=True).start()

    def _renew(self, engine: Engine, lease_seconds: int) -> None:
        pause = threading.Event()
        while not pause.wait(max(1.0, lease_seconds / 4)):
            with self._lock:
                held = list(self._held.values())
            if not held:
                continue
            values = {
                "seconds": lease_seconds,
                "ids": [lease.job_id for lease in held],
                "tokens": [lease.token for lease in held],
            }
            try:
                with engine.begin() as connection:
                    connection.execute(RENEW, values)
                    connection.execute(health.LIFE_SIGN)  # a long job must not make the worker look dead
            except Exception as error:  # noqa: BLE001 - the database is unavailable; if it stays so, the lease expires as intended
                log.warning("lease.renewal_failed", error=repr(error))


HEARTBEAT: Final = LeaseHeartbeat()
