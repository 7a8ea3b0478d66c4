"""Storing documents: files are written before the transaction, rows inside it."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import update

from backend.core import config, storage
from backend.core.clock import now
from backend.core.db.session import db
from backend.core.queue import StoredFilePayload, Topic, enqueue
from backend.core.text import has_control_characters
from backend.domain.documents import files
from backend.domain.documents.inspection import Inspected
from backend.domain.documents.models import Document

DROP_TOPIC: Final = Topic("document.drop", StoredFilePayload)
# The keys of documents, of photos of profiles and of requests, and the names of files that were being written when
# their process was killed.
KEY: Final = re.compile(
    r"[0-9]{4}/[0-9]{2}/"
    r"(?:[0-9a-f]{32}\.(?:pdf|png|jpg)|\.[0-9a-f]{32}\.(?:pdf|png|jpg)\.[0-9a-f]{32}\.part)"
    r"|photos/[0-9]{4}/[0-9]{2}/(?:[0-9a-f]{32}\.jpg|\.[0-9a-f]{32}\.jpg\.[0-9a-f]{32}\.part)"
    r"|request-photos/[0-9]{4}/[0-9]{2}/(?:[0-9a-f]{32}\.webp|\.[0-9a-f]{32}\.webp\.[0-9a-f]{32}\.part)"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A document whose file is stored but which has no row yet."""

    store_key: str
    filename: str
    content_type: str
    size: int
    sha256: str
    pages: int


def store(inspected: Inspected, *, filename: str | None) -> Stored:
    """Write the file to the store under a new key. Not inside a transaction, because the store may be slow."""
    file = files.store(inspected.data, extension=inspected.extension)
    return Stored(
        store_key=file.store_key,
        filename=_name(filename, inspected.extension),
        content_type=inspected.content_type,
        size=file.size,
        sha256=file.sha256,
        pages=inspected.pages,
    )


def discard(stored: Stored) -> None:
    """Delete the file, which has no row."""
    files.discard(stored.store_key)


def keep(account_id: int, stored: Stored) -> Document:
    """Make a stored document the account's current one.

    The bytes of the replaced one are dropped some days later: a backup made meanwhile may hold rows that name them,
    and what an admin decided on can still be shown.
    """
    at = now()
    replaced = db.session.execute(
        update(Document)
        .where(Document.account_id == account_id, Document.replaced_at.is_(None))
        .values(replaced_at=at)
        .returning(Document.store_key)
    ).scalars()
    for key in replaced:
        enqueue(DROP_TOPIC, StoredFilePayload(key), key=key, run_at=at + kept_after_replacement())
    document = Document(
        account_id=account_id,
        filename=stored.filename,
        content_type=stored.content_type,
        size=stored.size,
        sha256=stored.sha256,
        pages=stored.pages,
        store_key=stored.store_key,
        created_at=at,
    )
    db.session.add(document)
    db.session.flush()
    return document


def kept_after_replacement() -> timedelta:
    """Return how long the file of a replaced document is kept."""
    return timedelta(days=config.current_settings().files_kept_after_replacement)


def drop(store_key: str) -> None:
    """Delete the file of a replaced document; its row stays."""
    storage.documents().drop(store_key)


def _name(given: str | None, extension: str) -> str:
    """Return the user's file name with the extension of its content type."""
    name = (given or "").replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].strip()[:80]
    if not name or has_control_characters(name):
        name = "document"
    return f"{name}.{extension}"
