"""What a document really is: told by its content, made harmless, or refused."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import filetype
from PIL import Image, ImageOps

from backend.core.errors import Invalid, TooLarge, UnsupportedType
from backend.core.turns import Turns
from backend.domain.documents import pdf

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
TOO_MANY_PIXELS: Final = f"A picture may have {MAX_PIXELS:,} pixels at most."
IMAGES: Final = {"image/png": "PNG", "image/jpeg": "JPEG"}
EXTENSIONS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
AT_ONCE: Final = Turns(2)  # they take memory and time that browsing needs
TOO_MANY: Final = "Too many documents are looked at in this moment. Try again shortly."
UNREADABLE: Final = "This picture cannot be read. Save it again and hand in the copy."


@dataclass(frozen=True, slots=True)
class Inspected:
    """A document fit to be kept."""

    data: bytes
    content_type: str
    pages: int

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


def inspect(data: bytes) -> Inspected:
    """The document to keep for these bytes, images drawn anew.

    Raises TooLarge, UnsupportedType for what is neither PDF, PNG nor JPEG by its first bytes, Invalid for what
    cannot be read as what it seems to be, or for a PDF that does things.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge("A document may have 5 MiB at most.")
    if not data:
        raise Invalid.field("document", "The file is empty.", code="document_unreadable")
    content_type = filetype.guess_mime(data)
    with AT_ONCE.taken(otherwise=TOO_MANY):
        if content_type in IMAGES:
            return Inspected(_redraw(data, IMAGES[content_type]), content_type, 1)
        if content_type == "application/pdf":
            return Inspected(data, content_type, pdf.check(data))
    raise UnsupportedType("Hand in a PDF, a PNG or a JPEG.")


def page_image(data: bytes, content_type: str, *, page: int) -> bytes:
    """One page as PNG, to be looked at without anything in the document running."""
    with AT_ONCE.taken(otherwise=TOO_MANY):
        if content_type == "application/pdf":
            return pdf.render(data, page=page)
        with Image.open(BytesIO(data), formats=[IMAGES[content_type]]) as image:
            image.thumbnail((pdf.WIDEST, 2 * pdf.WIDEST))
            target = BytesIO()
            image.convert("RGB").save(target, "PNG")
        return target.getvalue()


def _redraw(data: bytes, kind: str) -> bytes:
    """The same picture drawn anew: what hid in its metadata or behind its end is gone."""
    target = BytesIO()
    try:
        with Image.open(BytesIO(data), formats=[kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Invalid.field("document", TOO_MANY_PIXELS, code="too_many_pixels")
            upright = ImageOps.exif_transpose(image)
            clean = upright.convert("RGBA" if kind == "PNG" and upright.has_transparency_data else "RGB")
            clean.info.clear()
            clean.save(target, kind, **({"quality": 88} if kind == "JPEG" else {}))
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid.field("document", TOO_MANY_PIXELS, code="too_many_pixels") from error
    except Exception as error:  # Pillow fails in many ways on a broken picture; all mean that it cannot be read
        raise Invalid.field("document", UNREADABLE, code="document_unreadable") from error
    return target.getvalue()
