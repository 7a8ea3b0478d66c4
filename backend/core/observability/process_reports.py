"""Each process reports itself in the table of processes: who it is, and with which settings it runs.

It needs psycopg only, so that processes without SQLAlchemy (beat, live updates) report, too. The table holds no
setting and no secret: values are digests under a key that is derived from SECRET_KEY.
"""

import contextlib
import hmac
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any, Final

import psycopg
import structlog
from psycopg.types.json import Jsonb

from backend.core.db.address import address
from backend.core.security.key_derivation import derived
from backend.settings import VERSION, Settings

log = structlog.get_logger(__name__)
REPORT_SECONDS: Final = 15.0
SILENT_SECONDS: Final = 60.0  # also in SILENT_HERE
# May differ between machines, or have a row of their own in what is compared.
OF_ONE_MACHINE: Final = frozenset({
    "data_dir", "machine_name", "secret_key", "host", "port", "web_workers", "web_threads", "trusted_proxies",
    "allowed_hosts", "events_host", "events_port", "events_url", "events_streams", "events_relayed", "web_url",
    "drain_seconds", "shutdown_seconds", "database_url", "owner_database_url", "database_pooled", "db_prepare",
    "prepare_wait_seconds", "redis_url",
    "broker_url", "cache_url", "limits_url", "db_pool_size", "db_read_pool_size", "db_pool_timeout_seconds",
    "admin_username", "admin_email", "admin_password", "mail_ca_file", "document_store_url", "export_store_url",
    "document_store_options", "worker_concurrency", "worker_queues", "crash_at",
    "log_level", "log_format", "metrics_open",
    "metrics_from", "metrics_port",
})  # fmt: skip
REPORT: Final = """
    WITH same_pid AS (
        DELETE FROM processes WHERE machine = %(machine)s AND pid = %(pid)s AND id <> %(id)s)
    INSERT INTO processes (id, kind, machine, pid, parent_pid, version, key_digest, settings, started_at, seen_at)
    VALUES (%(id)s, %(kind)s, %(machine)s, %(pid)s, %(parent_pid)s, %(version)s, %(key_digest)s, %(settings)s,
            clock_timestamp(), clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()
"""
SILENT_HERE: Final = """
    SELECT id, pid FROM processes
     WHERE machine = %(machine)s AND seen_at < clock_timestamp() - interval '60 seconds'
"""
LEAVE: Final = """
    DELETE FROM processes WHERE machine = %(machine)s AND kind = %(kind)s AND %(pid)s IN (pid, parent_pid)
"""
Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


def key_digest(settings: Settings) -> str:
    """Return what is equal on machines with the same SECRET_KEY, and says nothing about it."""
    return _digest(settings, "secret_key", "")


def setting_digests(settings: Settings, stores: Mapping[str, str]) -> dict[str, str]:
    """Return a digest of each setting that has to agree on all machines, and of the stores (name to identity)."""
    shared = {
        field.name.upper(): repr(getattr(settings, field.name))
        for field in fields(settings)
        if field.name not in OF_ONE_MACHINE
    }
    return {name: _digest(settings, name, value)[:12] for name, value in {**shared, **stores}.items()}


def _digest(settings: Settings, name: str, value: str) -> str:
    return hmac.digest(derived(settings.secret_key, "processes"), f"{name}={value}".encode(), "sha256").hex()[:24]


def direct(settings: Settings) -> Connect:
    """Return how processes without a pool connect: for the milliseconds of one report."""
    conninfo = address(settings.database_url, silent_seconds=settings.db_silent_seconds)
    return lambda: psycopg.connect(conninfo, application_name="doorstep-report")


class Reporter:
    """Reports this process until :meth:`close`, from a thread of its own."""

    def __init__(self, settings: Settings, kind: str, *, connect: Connect, stores: Mapping[str, str]) -> None:
        self._connect = connect
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._values = {
            "id": str(uuid.uuid4()),
            "kind": kind,
            "machine": settings.machine_name,
            "pid": os.getpid(),
            "parent_pid": os.getppid(),
            "version": VERSION,
            "key_digest": key_digest(settings),
            "settings": Jsonb(setting_digests(settings, stores)),
        }

    def start(self) -> None:
        threading.Thread(target=self._run, name="process-reports", daemon=True).start()

    def close(self) -> None:
        """Report no more; a report that is under way is waited for."""
        self._closed.set()
        with self._lock:
            pass

    def report(self) -> None:
        """Report once, and forget processes of this machine that no longer exist. Raises psycopg.Error."""
        with self._connect() as connection:
            connection.execute(REPORT, self._values)
            silent = connection.execute(SILENT_HERE, self._values).fetchall()
            gone = [row_id for row_id, pid in silent if not exists(pid)]
            if gone:
                connection.execute("DELETE FROM processes WHERE id = ANY(%s)", [gone])

    def _run(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                try:
                    if not self._closed.is_set():
                        self.report()
                except Exception as error:  # noqa: BLE001 - without a database there is no report; the next one is tried
                    log.info("process.report_failed", error=repr(error))
            self._closed.wait(REPORT_SECONDS)


def start(
    settings: Settings, kind: str, *, connect: Connect | None = None, stores: Mapping[str, str] | None = None
) -> Reporter | None:
    """Report this process from now on; None if it knows no database."""
    if not settings.database_url:
        return None
    reporter = Reporter(settings, kind, connect=connect or direct(settings), stores=stores or {})
    reporter.start()
    return reporter


def leave(settings: Settings, kind: str, *, pid: int) -> None:
    """Remove the row of a process that ends as it should, and those of its child processes."""
    if not settings.database_url:
        return
    values = {"machine": settings.machine_name, "kind": kind, "pid": pid}
    with contextlib.suppress(psycopg.Error), direct(settings)() as connection:
        connection.execute(LEAVE, values)


def exists(pid: int) -> bool:
    """Return whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
