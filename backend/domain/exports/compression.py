"""Compressed copies of large exports, for clients that accept gzip."""

import gzip
from dataclasses import dataclass
from typing import Final

from sqlalchemy import update

from backend.core import storage
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.queue import Lane, Topic, enqueue
from backend.domain.exports import queries
from backend.domain.exports.models import Export

LEVEL: Final = 1  # a CSV shrinks to a sixth already; more costs the worker three times as long for a few percent
PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ExportPayload:
    """Names the export that a job writes or compresses."""

    export_id: int


TOPIC: Final = Topic("export.pack", ExportPayload)


def pack_if_large(export_id: int, *, size: int) -> None:
    """Enqueue the compression of a file above EXPORT_GZIP_ABOVE_MB, after the export is done."""
    limit = current_settings().export_gzip_above_mb
    if limit and size > limit << 20:
        enqueue(TOPIC, ExportPayload(export_id), key=str(export_id), lane=Lane.EXPORTS)


def pack(export_id: int) -> None:
    """Write the compressed copy, and delete it again if the export was deleted meanwhile."""
    export = queries.get(export_id)
    if export.store_key is None or not queries.is_available(export):
        return
    key = packed_key(export.store_key)
    size = _write(export.store_key, key)
    kept = (
        update(Export)
        .where(Export.id == export_id, Export.dropped_at.is_(None))
        .values(packed_size=size)
        .returning(Export.id)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(kept).scalar_one_or_none() is None:
        storage.exports().drop(key)


def packed_key(store_key: str) -> str:
    """Return the key of a file's compressed copy."""
    return f"{store_key}.gz"


def _write(source: str, target: str) -> int:
    """Compress without name and time: the same bytes each time, so that a repeat does not break a running download."""
    store = storage.exports()
    with store.reading(source) as plain, store.writing(target) as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0) as out:
            while piece := plain.read(PIECE_BYTES):
                out.write(piece)
        return int(file.tell())
