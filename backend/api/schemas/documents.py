"""Documents."""

from typing import TypedDict

from werkzeug.datastructures import FileStorage

from backend.api.schemas.common import Strict, StrictInteger, Upload


class Document(Strict):
    """A PDF, PNG or JPEG file of at most 5 MiB."""

    document = Upload(required=True)


class DocumentData(TypedDict):
    """The loaded :class:`Document`."""

    document: FileStorage


class Page(Strict):
    """The page to render; by default the whole file."""

    page = StrictInteger(min=1, max=1000, load_default=None)


class PageData(TypedDict):
    """The loaded :class:`Page`."""

    page: int | None
