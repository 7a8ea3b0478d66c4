"""Actions on exports: start, write, cancel, and delete expired ones."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update

from backend.core import storage
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.date_range import Bound, DateRange, date_range
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.queue import Lane, StoredFilePayload, Topic, enqueue, enqueue_many
from backend.core.security.authz import Actor
from backend.domain.accounts.models import Account
from backend.domain.audit.actions import record, record_read
from backend.domain.exports import compression, queries
from backend.domain.exports.compression import ExportPayload
from backend.domain.exports.csv_copy import Position
from backend.domain.exports.errors import ExportInterrupted, NotRunning
from backend.domain.exports.models import Export
from backend.domain.exports.queries import File
from backend.domain.live_updates import changes
from backend.domain.notifications.create import notify
from backend.domain.notifications.messages import phrase, worded
from backend.domain.professionals.models import Professional

TOPIC: Final = Topic("export.run", ExportPayload)
PARTS_TOPIC: Final = Topic("export.drop_parts", ExportPayload)
DROP_TOPIC: Final = Topic("export.drop_files", StoredFilePayload)
OPEN: Final = ("queued", "running")
CANCELLED: Final = "Cancelled by an admin."


def ask(
    actor: Actor, *, professional_id: int | None = None, first: Bound | None = None, last: Bound | None = None
) -> Export:
    """Start an export of closed requests, of one professional or all, within a range of closed_at, as a job.

    Raises Invalid for an unknown professional, or a range that ends before it starts.
    """
    if professional_id is not None and db.session.get(Professional, professional_id) is None:
        raise Invalid.field("professional_id", "Professional not found.")
    span = date_range(first, last, zone=current_settings().zone)
    export = Export(
        requested_by=actor.account_id,
        professional_id=professional_id,
        span_from=first.isoformat() if first else None,
        span_to=last.isoformat() if last else None,
        starts=span.starts,
        ends=span.ends,
        status="queued",
        rows=0,
        created_at=now(),
    )
    db.session.add(export)
    db.session.flush()
    enqueue(TOPIC, ExportPayload(export.id), key=str(export.id), lane=Lane.EXPORTS)
    changes.announce_export(export.id)
    asked = {"professional_id": professional_id, "from": export.span_from, "to": export.span_to}
    record(actor, "export_requested", subject_id=export.id, subject_kind="export", after=asked)
    return export


def start(export_id: int) -> Export | None:
    """Start writing, or go on after the last part. Returns None if the export has ended meanwhile."""
    export = db.session.get(Export, export_id, with_for_update=True)
    if export is None or export.status not in OPEN:
        return None
    asker = db.session.get(Account, export.requested_by)
    if asker is None or asker.blocked_at is not None:
        fail(export_id, "asker_blocked")
        return None
    if not export.parts:
        export.rows_expected, export.started_at = None, now()
    export.status, export.rows = "running", export.rows_in_parts
    db.session.flush()
    changes.announce_export(export_id)
    return export


def expect(export_id: int, rows: int) -> None:
    """Record how many rows are expected, for the progress."""
    _change(export_id, rows_expected=rows)


def keep_part(export: Export, *, key: str, rows: int, last: Position) -> None:
    """Record a part whose file is written, and the rows of all parts.

    Raises ExportInterrupted if the export was cancelled, or another worker has recorded a part meanwhile.
    """
    _change(
        export.id,
        Export.parts == export.parts,
        parts=[*export.parts, key],
        rows=rows,
        rows_in_parts=rows,
        last_closed_at=last.closed_at,
        last_request_id=last.request_id,
    )


def advance(export_id: int, rows: int) -> None:
    """Record how many rows are written. Raises ExportInterrupted if the export was cancelled."""
    _change(export_id, rows=rows)


def finish(export_id: int, *, file: File, rows: int, has_parts: bool = False) -> None:
    """Publish the complete file in the transaction that ends the job. Raises ExportInterrupted."""
    expires = now() + timedelta(days=current_settings().export_keep_days)
    _drop_parts_later(export_id, has_parts=has_parts)
    asker = _change(
        export_id,
        status="done",
        rows=rows,
        rows_expected=rows,
        store_key=file.key,
        size=file.size,
        sha256=file.sha256,
        finished_at=now(),
        expires_at=expires,
    )
    compression.pack_if_large(export_id, size=file.size)
    notify(asker, "export_done", params={"export_id": export_id, "rows": phrase("rows", n=rows), "expires": expires})


def fail(export_id: int, failure: str) -> None:
    """Mark the export as failed and notify the admin who started it. An export that has ended is not changed.

    ``failure`` names a text of ``phrases.export_failures``.
    """
    reason = phrase(f"export_failures.{failure}")
    try:
        asker = _change(export_id, statuses=OPEN, status="failed", failure=worded(reason), finished_at=now())
    except ExportInterrupted:
        return
    _drop_parts_later(export_id)
    notify(asker, "export_failed", params={"export_id": export_id, "reason": reason})


def cancel(actor: Actor, *, export_id: int) -> Export:
    """Cancel a waiting or running export. Raises NotFound, or NotRunning if it has ended."""
    queries.get(export_id)
    try:
        _change(export_id, statuses=OPEN, status="failed", failure=CANCELLED, finished_at=now())
    except ExportInterrupted as error:
        raise NotRunning("This export has already finished or been cancelled.") from error
    _drop_parts_later(export_id)
    record(actor, "export_cancelled", subject_id=export_id, subject_kind="export")
    return queries.get(export_id)


def note_download(actor: Actor, *, export_id: int) -> None:
    """Record the download in the audit trail, once an hour because a download may consist of many ranges."""
    record_read(actor, "export_downloaded", subject_id=export_id, subject_kind="export")


def drop_expired(*, before: datetime | None = None, limit: int = 500) -> int:
    """Expire old exports and return how many. Their rows stay and answer 410; a job deletes the files."""
    due = (
        select(Export.id, Export.store_key)
        .where(Export.status == "done", Export.dropped_at.is_(None), Export.expires_at <= (before or now()))
        .order_by(Export.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = db.session.execute(due).all()
    if rows:
        dropped = [export_id for export_id, _ in rows]
        db.session.execute(update(Export).where(Export.id.in_(dropped)).values(dropped_at=now()))
        enqueue_many(DROP_TOPIC, [(key, StoredFilePayload(key)) for _, key in rows if key], lane=Lane.BULK)
    return len(rows)


def drop_files(store_key: str) -> None:
    """Delete an export's file and its compressed copy, after the end of the export is committed."""
    storage.exports().drop(store_key)
    storage.exports().drop(compression.packed_key(store_key))


def drop_parts(export_id: int) -> None:
    """Delete the files of an export's parts, including unfinished ones."""
    storage.exports().drop_all(part_key(export_id, ""))


def part_key(export_id: int, rest: str) -> str:
    """Return the key of a part's file."""
    return f"parts/{export_id}-{rest}"


def _drop_parts_later(export_id: int, *, has_parts: bool = True) -> None:
    if has_parts:
        enqueue(PARTS_TOPIC, ExportPayload(export_id), key=str(export_id), lane=Lane.BULK)


def span(export: Export) -> DateRange:
    """Return the range of closed_at that the export covers."""
    return DateRange(export.starts, export.ends)


def _change(
    export_id: int, *also: ColumnElement[bool], statuses: tuple[str, ...] = ("running",), **values: object
) -> int:
    """Change the export by a conditional UPDATE, which decides between job and cancellation. Returns the requester."""
    statement = (
        update(Export)
        .where(Export.id == export_id, Export.status.in_(statuses), *also)
        .values(**values)
        .returning(Export.requested_by)
        .execution_options(synchronize_session=False)
    )
    asker = db.session.execute(statement).scalar_one_or_none()
    if asker is None:
        raise ExportInterrupted(f"export {export_id} has already ended")
    changes.announce_export(export_id)
    return asker
