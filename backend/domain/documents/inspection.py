"""What a document really is: determined by its content, then made harmless or refused. Always in a child process.

Nothing here may run while a transaction is open: a child works for seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import filetype
from flask import Flask, current_app

from backend.core import child_process
from backend.core.child_process import ChildFailed, ChildResult, ChildTimedOut
from backend.core.errors import Invalid, TooLarge, Unavailable, UnsupportedType
from backend.core.lru_cache import LruCache
from backend.domain.documents import capacity, pdf, picture
from backend.settings import Settings

MAX_BYTES: Final = 5 * 1024 * 1024
PDF: Final = "application/pdf"
EXTENSIONS: Final = {PDF: "pdf", "image/png": "png", "image/jpeg": "jpg"}
CHILD_SECONDS: Final = 20.0  # the child's limit is the processor time; this one is for a machine that is overloaded
PAGES_BYTES: Final = 16 << 20
TOO_SLOW: Final = "The server is too busy to process this document. Try again in a few minutes."
PROBLEMS: Final = {
    picture.TOO_MANY_PIXELS: (
        "too_many_pixels",
        f"This image has more than {picture.MAX_PIXELS:,} pixels. Upload a smaller copy.",
    ),
    pdf.ACTIVE: (
        "document_refused",
        "This PDF contains scripts, attachments or commands. Print it to a new PDF and upload that.",
    ),
    pdf.TOO_COMPLEX: ("document_refused", "This PDF is too complex. Print it to a new PDF and upload that."),
    pdf.TOO_MANY_PAGES: ("document_unreadable", f"This PDF has more than {pdf.MAX_PAGES} pages. Upload a shorter one."),
}
PHOTO_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
PHOTO_PROBLEMS: Final = {
    picture.TOO_MANY_PIXELS: PROBLEMS[picture.TOO_MANY_PIXELS],
    picture.TOO_SMALL: (
        "photo_too_small",
        f"This photo is smaller than {picture.LEAST_SIDE} by {picture.LEAST_SIDE} pixels. Choose a larger one.",
    ),
}
PICTURE_TYPES: Final = PHOTO_TYPES | {"image/heic"}
PICTURE_PROBLEMS: Final = {
    picture.TOO_MANY_PIXELS: (
        "too_many_pixels",
        f"This image has more than {picture.CAMERA_PIXELS:,} pixels. Upload a smaller copy.",
    ),
}
PHOTO_UNREADABLE: Final = ("photo_unreadable", "This photo cannot be read. Save it again as JPEG and upload that.")
UNREADABLE: Final = (
    "document_unreadable",
    "This file cannot be read. Save a copy without a password and upload that.",
)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A document that was accepted."""

    data: bytes
    content_type: str
    pages: int

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


def inspect(data: bytes) -> Inspected:
    """Return the document to keep for these bytes; pictures are redrawn.

    Raises TooLarge, UnsupportedType for what is neither PDF, PNG nor JPEG by its first bytes, Invalid for what
    cannot be read as what it seems to be or for a PDF with active content, Unavailable when too many others wait.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("The document is larger than 5 MiB. Upload a smaller file.")
    if not data:
        raise Invalid.field("document", "This file is empty. Choose another.", code="document_unreadable")
    content_type = filetype.guess_mime(data)
    if content_type not in EXTENSIONS:
        raise UnsupportedType("This file type is not supported. Upload a PDF, PNG or JPEG file.")
    if content_type == PDF:
        result = _ask(pdf.__name__, ["check"], data)
        return Inspected(data, content_type, _pages(result))
    result = _ask(picture.__name__, ["redraw", content_type], data)
    return Inspected(result.data, content_type, _pages(result))


@dataclass(frozen=True, slots=True)
class InspectedPhoto:
    """A photo that was accepted, as two square JPEGs."""

    large: bytes
    small: bytes


def inspect_photo(data: bytes) -> InspectedPhoto:
    """Return the squares to keep of a photo, redrawn without metadata.

    Raises TooLarge, UnsupportedType for what is neither PNG, JPEG nor WebP by its first bytes, Invalid for what cannot
    be read or has too few or too many pixels, Unavailable when too many others wait.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("The photo is larger than 5 MiB. Upload a smaller file.")
    content_type = filetype.guess_mime(data) if data else None
    if content_type not in PHOTO_TYPES:
        raise UnsupportedType("This file type is not supported. Upload a JPEG, PNG or WebP photo.")
    result = _run(picture.__name__, ["square", content_type], data, refusal=_photo_refusal)
    size = result.facts.get("size")
    if not isinstance(size, int) or not 0 < size < len(result.data):
        raise _photo_refusal(None)
    return InspectedPhoto(result.data[:size], result.data[size:])


@dataclass(frozen=True, slots=True)
class InspectedPicture:
    """A photo of a request that was accepted, as WebP in two sizes."""

    full: bytes
    thumb: bytes
    width: int
    height: int


def inspect_picture(data: bytes) -> InspectedPicture:
    """Return both sizes of a photo of a request, redrawn without metadata.

    Raises TooLarge, UnsupportedType for what is neither JPEG, PNG, WebP nor HEIC by its first bytes, Invalid for what
    cannot be read or has too many pixels, Unavailable when too many others wait.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("The photo is larger than 5 MiB. Upload a smaller file.")
    content_type = filetype.guess_mime(data) if data else None
    if content_type not in PICTURE_TYPES:
        raise UnsupportedType("This file type is not supported. Upload a JPEG, PNG, WebP or HEIC photo.")
    result = _run(picture.__name__, ["fit", content_type], data, refusal=_picture_refusal)
    size, width, height = (result.facts.get(name) for name in ("size", "width", "height"))
    if not (isinstance(size, int) and isinstance(width, int) and isinstance(height, int)):
        raise _picture_refusal(None)
    if not 0 < size < len(result.data):
        raise _picture_refusal(None)
    return InspectedPicture(result.data[:size], result.data[size:], width, height)


def drawn_page(sha256: str, page: int) -> bytes | None:
    """Return a cached page."""
    return _drawn_pages().get(f"{sha256}-{page}")


def draw_page(data: bytes, content_type: str, *, sha256: str, page: int) -> bytes:
    """Render one page (counted from 1) as PNG, so that nothing in the file runs in the viewer.

    The picture is kept in this process only. The shared cache is where the job queue lives, and no place for copies
    of identity papers.
    """
    is_pdf = content_type == PDF
    arguments = ["draw", str(page)] if is_pdf else ["draw", content_type]
    image = _ask(pdf.__name__ if is_pdf else picture.__name__, arguments, data).data
    _drawn_pages().put(f"{sha256}-{page}", image)
    return image


def _ask(module: str, arguments: list[str], data: bytes) -> ChildResult:
    """Run the work on a document in a child process. Raises Invalid for the problem it reports."""
    return _run(module, arguments, data, refusal=_refusal)


def _run(module: str, arguments: list[str], data: bytes, *, refusal: Callable[[str | None], Invalid]) -> ChildResult:
    with capacity.current().places.acquire(error=capacity.BUSY):
        try:
            result = child_process.run(module, arguments, data, seconds=CHILD_SECONDS)
        except ChildTimedOut as error:
            raise Unavailable(TOO_SLOW, retry_after=capacity.RETRY_SECONDS) from error
        except ChildFailed as error:
            raise refusal(None) from error
    if "problem" in result.facts:
        raise refusal(str(result.facts["problem"]))
    return result


def _pages(result: ChildResult) -> int:
    """Return the number of pages. The child read hostile data, so its result is checked."""
    pages = result.facts.get("pages")
    if not isinstance(pages, int):
        raise _refusal(None)
    return pages


def _refusal(problem: str | None) -> Invalid:
    code, text = PROBLEMS.get(problem or "", UNREADABLE)
    return Invalid.field("document", text, code=code)


def _photo_refusal(problem: str | None) -> Invalid:
    code, text = PHOTO_PROBLEMS.get(problem or "", PHOTO_UNREADABLE)
    return Invalid.field("photo", text, code=code)


def _picture_refusal(problem: str | None) -> Invalid:
    code, text = PICTURE_PROBLEMS.get(problem or "", PHOTO_UNREADABLE)
    return Invalid.field("photo", text, code=code)


def init_app(app: Flask, settings: Settings) -> None:
    """Make what this process needs to inspect documents and draw pages."""
    capacity.init_app(app, settings)
    app.extensions["drawn_pages"] = LruCache[bytes](most_bytes=PAGES_BYTES, size=len)


def _drawn_pages() -> LruCache[bytes]:
    return cast("LruCache[bytes]", current_app.extensions["drawn_pages"])
