"""Files in the store of documents that have no row yet: written before the transaction, deleted if it fails."""

import hashlib
import uuid
from typing import NamedTuple

import structlog

from backend.core import storage
from backend.core.clock import now
from backend.core.errors import DomainError

log = structlog.get_logger(__name__)


class StoredFile(NamedTuple):
    """A file under a key that nothing else has."""

    size: int
    sha256: str
    store_key: str


def store(data: bytes, *, extension: str, folder: str = "") -> StoredFile:
    """Write a file under a new key. Not inside a transaction, because the store may be slow."""
    store_key = f"{folder}{now():%Y/%m}/{uuid.uuid4().hex}.{extension}"
    storage.documents().put(store_key, data)
    return StoredFile(len(data), hashlib.sha256(data).hexdigest(), store_key)


def discard(*store_keys: str) -> None:
    """Delete files without a row. If this fails, the orphan sweep deletes them later."""
    for key in store_keys:
        try:
            storage.documents().drop(key)
        except DomainError as error:
            log.warning("document.discard_failed", store_key=key, error=repr(error))
