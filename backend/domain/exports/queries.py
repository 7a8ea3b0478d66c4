"""Reading exports."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from backend.core.clock import now
from backend.core.db import pagination
from backend.core.db.pagination import Page, SortKey, Window
from backend.core.db.session import db
from backend.core.errors import NotFound
from backend.domain.exports.errors import Expired, Failed, NotReady
from backend.domain.exports.models import Export

NEWEST_FIRST: Final[tuple[SortKey, ...]] = ((Export.created_at.expression, True), (Export.id.expression, True))
SCOPE: Final = "exports"


@dataclass(frozen=True, slots=True)
class File:
    """A finished file: its key in the store and its properties."""

    key: str
    name: str
    size: int
    sha256: str
    packed_size: int | None = None


def get(export_id: int) -> Export:
    """Return the export. Raises NotFound."""
    export = db.session.get(Export, export_id, populate_existing=True)
    if export is None:
        raise NotFound("Export not found.")
    return export


def newest(window: Window, *, status: str | None = None) -> Page[Export]:
    """Return a page of all exports, newest first."""
    query = select(Export).order_by(*pagination.order(NEWEST_FIRST)).limit(window.limit + 1)
    if status is not None:
        query = query.where(Export.status == status)
    if window.cursor is not None:
        values = pagination.decode_cursor(SCOPE, window.cursor, length=len(NEWEST_FIRST))
        query = query.where(pagination.after(NEWEST_FIRST, values))
    rows = db.session.execute(query).scalars().all()
    return pagination.cut(rows, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id))


def is_available(export: Export) -> bool:
    """Return whether the file can be downloaded."""
    return export.status == "done" and export.dropped_at is None and (export.expires_at or now()) > now()


def file(export_id: int) -> File:
    """Return the finished file. Raises NotFound, NotReady, Failed or Expired."""
    export = get(export_id)
    if export.status in ("queued", "running"):
        raise NotReady("The export is still running. Try again in a few seconds.", retry_after=2)
    if export.status == "failed" or export.store_key is None:
        raise Failed("This export failed or was cancelled, so there is no file. Start a new export.")
    if not is_available(export):
        raise Expired("This export has expired and its file was deleted. Start a new export.")
    name = f"closed-requests-{export.id}.csv"
    return File(export.store_key, name, export.size or 0, export.sha256 or "", export.packed_size)


def progress(export: Export) -> int:
    """Return the progress from 0 to 100; it is 100 only when the export is done."""
    if export.status == "done":
        return 100
    if not export.rows_expected:
        return 0
    return min(99, export.rows * 100 // export.rows_expected)
