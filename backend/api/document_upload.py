"""Uploaded documents: read, inspected and stored before the first query of the transaction."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from werkzeug.datastructures import FileStorage

from backend.core.db.session import on_transaction_end
from backend.domain.documents import actions
from backend.domain.documents.actions import Stored
from backend.domain.documents.inspection import MAX_BYTES, inspect


@contextmanager
def received(file: FileStorage) -> Iterator[Stored]:
    """Store an uploaded document, and delete it again if the block fails.

    Only one byte beyond the limit is read, which is enough to detect a file that is too large.
    """
    with closing(file):
        inspected = inspect(file.stream.read(MAX_BYTES + 1))
    stored = actions.store(inspected, filename=file.filename)
    try:
        yield stored
    except BaseException:
        # Not here: the transaction is still open, and the file store may be slow.
        on_transaction_end(lambda: actions.discard(stored))
        raise
