"""Certificates for the demo's professionals, drawn with Pillow."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SIZE: Final = (640, 440)
INK, PAPER, EDGE = (52, 42, 34), (250, 246, 238), (150, 86, 38)


def certificate(*, name: str, company: str, trade: str, years: int, kind: str) -> bytes:
    """Return a certificate as PNG or PDF."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((16, 16, SIZE[0] - 17, SIZE[1] - 17), outline=EDGE, width=4)
    lines = (
        (70, 34, "Certificate of trade"),
        (150, 18, "This is to show that"),
        (190, 28, name),
        (240, 18, f"of {company}"),
        (280, 18, f"has worked in {trade.lower()} for {years} years."),
        (370, 14, "Made up for a demonstration: it certifies nothing."),
    )
    for top, size, line in lines:
        draw.text((SIZE[0] / 2, top), line, fill=INK, font=ImageFont.load_default(size), anchor="mt")
    target = BytesIO()
    image.save(target, kind)
    return target.getvalue()
