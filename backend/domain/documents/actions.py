"""Keeping documents."""

import hashlib
import uuid

from sqlalchemy import update

from backend.core import storage
from backend.core.clock import now
from backend.core.database import db
from backend.core.queue import enqueue
from backend.core.text import has_control_characters
from backend.domain.documents.inspection import Inspected
from backend.domain.documents.models import Document

DROP_TOPIC = "document.drop"


def keep(account_id: int, *, inspected: Inspected, filename: str | None) -> Document:
    """Store a document as the account's present one; the bytes of the one before are dropped once this is committed."""
    replaced = db.session.execute(
        update(Document)
        .where(Document.account_id == account_id, Document.replaced_at.is_(None))
        .values(replaced_at=now())
        .returning(Document.store_key)
    ).scalars()
    for key in replaced:
        enqueue(DROP_TOPIC, {"store_key": key}, key=key)
    store_key = f"{now():%Y/%m}/{uuid.uuid4().hex}.{inspected.extension}"
    storage.documents().put(store_key, inspected.data)
    document = Document(
        account_id=account_id,
        filename=_name(filename, inspected.extension),
        content_type=inspected.content_type,
        size=len(inspected.data),
        sha256=hashlib.sha256(inspected.data).hexdigest(),
        pages=inspected.pages,
        store_key=store_key,
        created_at=now(),
    )
    db.session.add(document)
    db.session.flush()
    return document


def drop(store_key: str) -> None:
    """Remove the bytes of a document that was replaced; its row stays."""
    storage.documents().drop(store_key)


def _name(given: str | None, extension: str) -> str:
    """What the person called it, with the extension that its content has."""
    name = (given or "").replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].strip()[:80]
    if not name or has_control_characters(name):
        name = "document"
    return f"{name}.{extension}"
