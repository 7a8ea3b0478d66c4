"""Small files for tests: pictures by Pillow, PDFs by pypdf."""

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
    """Return a picture of one colour."""
    target = BytesIO()
    Image.new("RGB", size, "teal").save(target, kind)
    return target.getvalue()


def pdf(change: Callable[[PdfWriter], Any] | None = None, *, pages: int = 1) -> bytes:
    """Return a PDF of blank pages, modified by ``change``."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=200, height=280)
    if change is not None:
        change(writer)
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def form(data: bytes, *, name: str = "proof.png", field: str = "document", **fields: Any) -> dict[str, Any]:
    """Return the arguments of a multipart call with this file."""
    file = FileStorage(BytesIO(data), filename=name, content_type="application/octet-stream")
    boundary, body = encode_multipart({**fields, field: file})
    return {"data": body, "content_type": f'multipart/form-data; boundary="{boundary}"'}


@cache
def slow_pdf(objects: int = 8_000) -> bytes:
    """Return a PDF that takes seconds to check, as it has many objects; the last one causes its rejection."""
    body, offsets = bytearray(b"%PDF-1.7\n"), []
    dictionaries = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        *(b"<< /One [1 2 3] /Two (two) /Three << /Four 4 >> >>" for _ in range(objects - 4)),
        b"<< /S /Hide /Type /Action >>",
    ]
    for number, dictionary in enumerate(dictionaries, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, dictionary)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start)
    return bytes(body)
