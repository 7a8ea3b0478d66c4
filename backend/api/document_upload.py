"""Uploaded documents and photos: read, inspected and stored before the first query of the transaction."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from werkzeug.datastructures import FileStorage

from backend.core.db.session import on_transaction_end
from backend.core.failpoints import failpoint
from backend.domain.documents import actions, photos
from backend.domain.documents.actions import Stored
from backend.domain.documents.inspection import MAX_BYTES, inspect, inspect_photo, inspect_picture
from backend.domain.documents.photos import StoredPhoto
from backend.domain.photos import files
from backend.domain.photos.files import StoredPicture

File = TypeVar("File")


@contextmanager
def received(file: FileStorage) -> Iterator[Stored]:
    """Store an uploaded document, and delete it again if the block fails."""
    inspected = inspect(_content(file))
    with _discarded_on_error(actions.store(inspected, filename=file.filename), actions.discard) as stored:
        yield stored


@contextmanager
def received_photo(file: FileStorage) -> Iterator[StoredPhoto]:
    """Store an uploaded photo, and delete it again if the block fails."""
    inspected = inspect_photo(_content(file))
    with _discarded_on_error(photos.store(inspected), photos.discard) as stored:
        yield stored


@contextmanager
def received_picture(file: FileStorage) -> Iterator[StoredPicture]:
    """Store an uploaded photo of a request, and delete it again if the block fails."""
    inspected = inspect_picture(_content(file))
    with _discarded_on_error(files.store(inspected), files.discard) as stored:
        failpoint("photo.stored")
        yield stored


def _content(file: FileStorage) -> bytes:
    """Return the content, of which one byte beyond the limit is read: enough to detect a file that is too large."""
    with closing(file):
        return file.stream.read(MAX_BYTES + 1)


@contextmanager
def _discarded_on_error(stored: File, discard: Callable[[File], None]) -> Iterator[File]:
    try:
        yield stored
    except BaseException:
        # Not here: the transaction is still open, and the file store may be slow.
        on_transaction_end(lambda: discard(stored))
        raise
