"""Writes exports: COPY from the database to the store, with progress that is visible while it runs."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import Final, NamedTuple, TypeVar, cast

import structlog
from flask import current_app
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import Composed
from sqlalchemy.engine import Connection as SourceConnection

from backend.core import queue, storage
from backend.core.config import current_settings
from backend.core.db import replica
from backend.core.db.replica import Source
from backend.core.db.session import db, transaction
from backend.core.errors import RetryLater
from backend.core.failpoints import failpoint
from backend.core.queue import Lane, Lease, Snooze, StoredFilePayload
from backend.domain.exports import actions, compression, csv_copy, queries
from backend.domain.exports.compression import ExportPayload
from backend.domain.exports.csv_copy import Position
from backend.domain.exports.errors import ExportInterrupted
from backend.domain.exports.models import Export
from backend.domain.exports.queries import File
from backend.jobs.registry import job

log = structlog.get_logger(__name__)
ATTEMPTS: Final = 4
PROGRESS_SECONDS: Final = 0.5
ROWS_PER_PART: Final = 100_000  # about a second
SECONDS_AT_ONCE: Final = 10.0  # of the soft time limit; then other exports have their turn
POLL_SECONDS: Final = 0.5
PIECE_BYTES: Final = 1 << 20
STORE_AWAY: Final = "The file storage was unavailable."
Result = TypeVar("Result")


@job(actions.TOPIC, long=True)
def run(payload: ExportPayload, lease: Lease) -> Snooze | None:
    """Write an export, part by part. If the worker dies, the next one goes on after the last part."""
    export_id = payload.export_id
    if lease.attempts > ATTEMPTS:
        actions.fail(export_id, "kept_failing")
        return None
    export = aside(lambda: actions.start(export_id))
    if export is None:
        return None
    try:
        if lease.attempts > 1:
            storage.exports().drop_all(f"{export_id}-")
        with replica.caught_up() as connection:
            return _write(lease, export, connection or db.session)
    except storage.StoreFailed as error:
        _store_failed(lease, export_id, error)
    except ExportInterrupted:
        log.info("export.interrupted", export_id=export_id)
    return None


@job(compression.TOPIC, long=True)
def pack(payload: ExportPayload, _: Lease) -> None:
    """Compress a large export. If this fails permanently, the plain file is still available."""
    compression.pack(payload.export_id)


@job(actions.PARTS_TOPIC)
def drop_parts(payload: ExportPayload, _: Lease) -> None:
    """Delete the parts of an export that has ended."""
    actions.drop_parts(payload.export_id)


@job(actions.DROP_TOPIC)
def drop(payload: StoredFilePayload, _: Lease) -> None:
    """Delete the files of an expired export."""
    actions.drop_files(payload.store_key)


def _write(lease: Lease, export: Export, source: Source) -> Snooze | None:
    """Write part after part from the source, then one file of all; stop in between while other jobs wait."""
    began = time.monotonic()
    progress = Progress(lease, export.id, rows=export.rows)
    span, connection = actions.span(export), _driver_connection(source)
    if (expected := export.rows_expected) is None:
        expected = csv_copy.expected(connection, professional_id=export.professional_id, span=span)
        aside(lambda: actions.expect(export.id, expected))
    while True:
        after = _last_position(export)
        until = None
        if expected > ROWS_PER_PART:
            until = csv_copy.position_after(
                connection, professional_id=export.professional_id, span=span, after=after, rows=ROWS_PER_PART
            )
        query = csv_copy.export_query(
            professional_id=export.professional_id, span=span, between=csv_copy.Between(after, until)
        )
        if until is None:
            _write_file(lease, export, _Rows(source, query), progress)
            return None
        export = _write_part(lease, export, _Rows(source, query), until, progress)
        if _should_stop(began):
            return Snooze("other jobs come first", 0, is_progress=True)


def _write_part(lease: Lease, export: Export, rows: "_Rows", until: Position, progress: "Progress") -> Export:
    """Write a part to a file of its own, and return the export with it."""
    key = actions.part_key(export.id, f"{len(export.parts):05}-{lease.token}.csv")
    with storage.exports().writing(key) as file:
        for piece in rows.pieces(progress, with_header=not export.parts):
            file.write(piece)
    failpoint("export.part_written")

    def keep() -> Export:
        queue.renew(lease, lease_seconds=current_settings().job_lease_seconds)  # only its holder adds a part
        actions.keep_part(export, key=key, rows=progress.rows, last=until)
        return queries.get(export.id)

    try:
        kept = aside(keep)
    except ExportInterrupted:  # after other errors, the part may have been kept; the end of the export deletes it
        storage.exports().drop(key)
        raise
    failpoint("export.part_kept")
    return kept


def _write_file(lease: Lease, export: Export, rows: "_Rows", progress: "Progress") -> None:
    """Write the file of all parts and the last rows, and publish it."""
    key, digest, size = _key(lease, export.id), hashlib.sha256(), 0
    with _dropped_unless_kept(key):
        with storage.exports().writing(key) as file:
            for piece in chain(_kept_parts(export, progress), rows.pieces(progress, with_header=not export.parts)):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            failpoint("export.written")
        queue.renew(lease, lease_seconds=current_settings().job_lease_seconds)  # still held: this is the final file
        written = File(key, "", size, digest.hexdigest())
        actions.finish(export.id, file=written, rows=progress.rows, has_parts=bool(export.parts))


def _kept_parts(export: Export, progress: "Progress") -> Iterator[bytes]:
    for key in export.parts:
        with storage.exports().reading(key) as part:
            while piece := part.read(PIECE_BYTES):
                yield piece
                progress.add(0)


class _Rows(NamedTuple):
    """The rows of a query, and where they come from: the primary by the session, or a replica."""

    source: Source
    query: Composed

    def pieces(self, progress: "Progress", *, with_header: bool) -> Iterator[bytes]:
        """Yield them as CSV. A failed COPY does not roll back the row that records the failure."""
        with (
            self.source.begin_nested(),
            closing(csv_copy.pieces(_driver_connection(self.source), self.query, with_header=with_header)) as pieces,
        ):
            for piece, rows in pieces:
                yield piece
                progress.add(rows)


def _should_stop(began: float) -> bool:
    """Return whether another job should have this process now; the export goes on after it."""
    if time.monotonic() - began >= SECONDS_AT_ONCE:
        return True
    return aside(lambda: any(queue.is_waiting(lane, for_seconds=POLL_SECONDS) for lane in (Lane.URGENT, Lane.BULK)))


def _last_position(export: Export) -> Position | None:
    if export.last_closed_at is None or export.last_request_id is None:
        return None
    return Position(export.last_closed_at, export.last_request_id)


@contextmanager
def _dropped_unless_kept(key: str) -> Iterator[None]:
    """Delete a final file if the block fails: no row refers to it. Another worker's file may be the final one."""
    try:
        yield
    except BaseException:
        with suppress(storage.StoreFailed):
            storage.exports().drop(key)
        raise


class Progress:
    """Records progress and renews the lease, in short transactions besides the long one."""

    def __init__(self, lease: Lease, export_id: int, *, rows: int) -> None:
        self.rows = rows
        self._lease = lease
        self._export_id = export_id
        self._recorded_at = self._renewed = time.monotonic()

    def add(self, rows: int) -> None:
        """Add to the progress. Raises ExportInterrupted if cancelled, LeaseLost if another worker took the job."""
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


def _driver_connection(source: Source) -> "Connection[TupleRow]":
    held = source if isinstance(source, SourceConnection) else source.connection()
    connection = held.connection.driver_connection
    return cast("Connection[TupleRow]", connection)


def _store_failed(lease: Lease, export_id: int, error: storage.StoreFailed) -> None:
    full = isinstance(error.__cause__, OSError) and error.__cause__.errno in storage.FULL
    if full or lease.attempts >= ATTEMPTS:
        actions.fail(export_id, "no_room" if full else "store_away")
        return
    raise RetryLater(STORE_AWAY) from error
