"""A document that comes in a form: read, inspected and stored before anything is asked of the database."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from backend.core.db.session import on_transaction_end
from backend.domain.documents import actions
from backend.domain.documents.actions import Stored
from backend.domain.documents.inspection import MAX_BYTES, inspect


@contextmanager
def received(file: Any) -> Iterator[Stored]:
    """Store the document of a form for what is done with it in the block; when that fails, its bytes are removed.

    One byte beyond the limit is enough to know that a file is too large.
    """
    with closing(file):
        inspected = inspect(file.stream.read(MAX_BYTES + 1))
    stored = actions.store(inspected, filename=file.filename)
    try:
        yield stored
    except BaseException:
        on_transaction_end(
            lambda: actions.discard(stored)
        )  # the transaction is still open here, and the store may be slow
        raise
