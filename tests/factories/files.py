"""Small real files for tests: pictures drawn by Pillow, PDFs written by pypdf."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image
from pypdf import PdfWriter
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart


@cache
def picture(kind: str = "PNG", *, size: tuple[int, int] = (8, 8)) -> bytes:
    """A picture of one colour."""
    target = BytesIO()
    Image.new("RGB", size, "teal").save(target, kind)
    return target.getvalue()


def pdf(change: Callable[[PdfWriter], Any] | None = None, *, pages: int = 1) -> bytes:
    """A PDF of blank pages, changed as the test likes."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=200, height=280)
    if change is not None:
        change(writer)
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def form(data: bytes, *, name: str = "proof.png", **fields: Any) -> dict[str, Any]:
    """Arguments of a multipart call with this document."""
    file = FileStorage(BytesIO(data), filename=name, content_type="application/octet-stream")
    boundary, body = encode_multipart({**fields, "document": file})
    return {"data": body, "content_type": f'multipart/form-data; boundary="{boundary}"'}
