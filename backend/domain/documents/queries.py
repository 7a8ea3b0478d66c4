"""Read documents, outside of transactions, so that none is open while a page is rendered."""

from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core import storage
from backend.core.db import read_pool
from backend.core.errors import NotFound
from backend.core.storage import FileMissing
from backend.domain.documents import capacity, inspection

CURRENT: Final = text("""
    SELECT id, filename, content_type, size, sha256, pages, store_key
      FROM documents WHERE account_id = :account_id AND replaced_at IS NULL
""")


class Document(NamedTuple):
    """A stored document, in the order of the statement's columns."""

    id: int
    filename: str
    content_type: str
    size: int
    sha256: str
    pages: int
    store_key: str


def current(account_id: int) -> Document | None:
    """Return the account's current document, or None."""
    row = read_pool.one_or_none(CURRENT, {"account_id": account_id})
    return None if row is None else Document._make(row)


def require(account_id: int) -> Document:
    """Return the account's current document. Raises NotFound."""
    document = current(account_id)
    if document is None:
        raise NotFound("No document has been uploaded.")
    return document


def content(document: Document) -> bytes:
    """Return the file's bytes. Raises Unavailable if the store does not respond, FileMissing if it lacks the file."""
    try:
        return storage.documents().get(document.store_key)
    except FileMissing as error:
        raise FileMissing("The file for this document is missing. Upload the document again.") from error


def page_image(document: Document, *, page: int, owner_id: int | None = None) -> bytes:
    """Return one page as PNG. Raises NotFound for a missing page.

    ``owner_id``: the owner, for whom only one page is rendered at a time.
    """
    if page > document.pages:
        raise NotFound(f"Page not found. The document has {document.pages} pages.")
    image = inspection.drawn_page(document.sha256, page)
    if image is not None:
        return image
    if owner_id is None:
        return _draw(document, page)
    with capacity.current().drawing_for(owner_id):
        return inspection.drawn_page(document.sha256, page) or _draw(document, page)


def _draw(document: Document, page: int) -> bytes:
    return inspection.draw_page(content(document), document.content_type, sha256=document.sha256, page=page)
