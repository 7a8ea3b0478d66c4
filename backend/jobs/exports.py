"""Writes exports: COPY from the database to the store, with progress that is visible while it runs."""

import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final, TypeVar, cast

import structlog
from flask import current_app
from psycopg import Connection

from backend.core import queue, storage
from backend.core.config import current_settings
from backend.core.db.session import db, transaction
from backend.core.errors import RetryLater
from backend.core.failpoints import failpoint
from backend.core.queue import Lease, StoredFilePayload
from backend.domain.exports import actions, compression, csv_copy
from backend.domain.exports.compression import ExportPayload
from backend.domain.exports.errors import ExportInterrupted
from backend.domain.exports.models import Export
from backend.domain.exports.queries import File
from backend.jobs.registry import job

log = structlog.get_logger(__name__)
ATTEMPTS: Final = 4
PROGRESS_SECONDS: Final = 0.5
STORE_AWAY: Final = "The file storage was unavailable."
Result = TypeVar("Result")


@job(actions.TOPIC, long=True)
def run(payload: ExportPayload, lease: Lease) -> None:
    """Write one export. If the worker dies, the next one starts again and deletes the temporary file."""
    export_id = payload.export_id
    if lease.attempts > ATTEMPTS:
        actions.fail(export_id, "kept_failing")
        return
    export = aside(lambda: actions.start(export_id))
    if export is None:
        return
    try:
        if lease.attempts > 1:
            storage.exports().drop_all(f"{export_id}-")
        _write(lease, export)
    except storage.StoreFailed as error:
        _store_failed(lease, export_id, error)
    except Exception as error:
        storage.exports().drop(_key(lease, export_id))  # not another worker's file, which may be the final one
        if not isinstance(error, ExportInterrupted):  # lease or database lost; no row refers to the file
            raise
        log.info("export.interrupted", export_id=export_id)


@job(compression.TOPIC, long=True)
def pack(payload: ExportPayload, _: Lease) -> None:
    """Compress a large export. If this fails permanently, the plain file is still available."""
    compression.pack(payload.export_id)


@job(actions.DROP_TOPIC)
def drop(payload: StoredFilePayload, _: Lease) -> None:
    """Delete the files of an expired export."""
    actions.drop_files(payload.store_key)


def _write(lease: Lease, export: Export) -> None:
    key = _key(lease, export.id)
    progress = Progress(lease, export.id)
    digest = hashlib.sha256()
    with db.session.begin_nested():  # a failed COPY must not roll back the row that records the failure
        connection = _driver_connection()
        span = actions.span(export)
        expected = csv_copy.expected(connection, professional_id=export.professional_id, span=span)
        aside(lambda: actions.expect(export.id, expected))
        select = csv_copy.export_query(professional_id=export.professional_id, span=span)
        with storage.exports().writing(key) as file, closing(csv_copy.pieces(connection, select)) as pieces:
            for piece, rows in pieces:
                file.write(piece)
                digest.update(piece)
                progress.add(size=len(piece), rows=rows)
            failpoint("export.written")
    queue.renew(lease, lease_seconds=current_settings().job_lease_seconds)  # still held: this file is the final one
    written = File(key, "", progress.size, digest.hexdigest())
    actions.finish(export.id, file=written, rows=progress.rows)


class Progress:
    """Records progress and renews the lease, in short transactions besides the long one."""

    def __init__(self, lease: Lease, export_id: int) -> None:
        self.rows = self.size = 0
        self._lease = lease
        self._export_id = export_id
        self._recorded_at = self._renewed = time.monotonic()

    def add(self, *, size: int, rows: int) -> None:
        """Add to the progress. Raises ExportInterrupted if cancelled, LeaseLost if another worker took the job."""
        self.size += size
        self.rows += rows
        at = time.monotonic()
        if at - self._recorded_at >= PROGRESS_SECONDS:
            self._recorded_at = at
            aside(self._record)

    def _record(self) -> None:
        actions.advance(self._export_id, self.rows)
        seconds = current_settings().job_lease_seconds
        if self._recorded_at - self._renewed >= seconds / 4:
            self._renewed = self._recorded_at
            queue.renew(self._lease, lease_seconds=seconds)


def aside(work: Callable[[], Result]) -> Result:
    """Run work in a short separate transaction on another connection while the job's transaction continues."""
    with current_app.app_context(), transaction():
        return work()


def _key(lease: Lease, export_id: int) -> str:
    return f"{export_id}-{lease.token}.csv"


def _driver_connection() -> "Connection[Any]":
    connection = db.session.connection().connection.driver_connection
    return cast("Connection[Any]", connection)


def _store_failed(lease: Lease, export_id: int, error: storage.StoreFailed) -> None:
    full = isinstance(error.__cause__, OSError) and error.__cause__.errno in storage.FULL
    if full or lease.attempts >= ATTEMPTS:
        actions.fail(export_id, "no_room" if full else "store_away")
        return
    raise RetryLater(STORE_AWAY) from error
