"""Reading documents."""

from sqlalchemy import select

from backend.core import storage
from backend.core.database import db
from backend.core.errors import NotFound
from backend.domain.documents import inspection
from backend.domain.documents.models import Document


def current(account_id: int) -> Document | None:
    """The account's present document."""
    statement = select(Document).where(Document.account_id == account_id, Document.replaced_at.is_(None))
    return db.session.execute(statement).scalar_one_or_none()


def require(account_id: int) -> Document:
    """The account's present document. Raises NotFound."""
    document = current(account_id)
    if document is None:
        raise NotFound("No document was handed in.")
    return document


def content(document: Document) -> bytes:
    """Its bytes. Raises Unavailable when the store is away."""
    return storage.documents().get(document.store_key)


def page_image(document: Document, *, page: int) -> bytes:
    """One of its pages as PNG. Raises NotFound for a page that it does not have."""
    if page > document.pages:
        raise NotFound(f"The document has {document.pages} pages.")
    return inspection.page_image(content(document), document.content_type, page=page)
