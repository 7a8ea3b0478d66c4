"""Pictures, decoded in a child process with limits: a hostile file ends the child, never the web server.

Run as ``python -m backend.domain.documents.picture redraw|draw|square|fit CONTENT_TYPE``, with the file on standard
input.
"""

import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final

from backend.core import child_process
from backend.core.child_process import ChildResult

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/heic": "HEIF"}
MAX_PIXELS: Final = 24_000_000
CAMERA_PIXELS: Final = 25_000_000  # phones that say 24 megapixels have 5,712 by 4,284
FULL, THUMB = 2000, 400
MAX_SIDE: Final = 4000
WIDEST: Final = 1400
LEAST_SIDE: Final = 200
LARGE, SMALL = 640, 160
MEMORY_BYTES: Final = 512 << 20
CPU_SECONDS: Final = 8
TOO_MANY_PIXELS: Final = "too_many_pixels"
TOO_SMALL: Final = "too_small"
UNREADABLE: Final = "document_unreadable"


def _work(arguments: Sequence[str], data: bytes) -> ChildResult:
    order, content_type = arguments
    try:
        return ORDERS[order](data, FORMATS[content_type])
    except Exception as error:  # noqa: BLE001  # a broken picture makes Pillow fail in many ways; all mean the same
        bomb = type(error).__name__.startswith("DecompressionBomb")
        return ChildResult({"problem": TOO_MANY_PIXELS if bomb else UNREADABLE})


def _redraw(data: bytes, kind: str) -> ChildResult:
    """Return the picture re-encoded without metadata and appended data, at most 4,000 pixels a side."""
    from PIL import Image, ImageOps

    with Image.open(BytesIO(data), formats=[kind]) as image:
        if image.width * image.height > MAX_PIXELS:
            return ChildResult({"problem": TOO_MANY_PIXELS})
        small = _shrunk(image, (MAX_SIDE, MAX_SIDE))
        has_transparency = kind == "PNG" and small.has_transparency_data
        ImageOps.exif_transpose(small, in_place=True)
        clean = small.convert("RGBA" if has_transparency else "RGB")
    clean.info.clear()
    target = BytesIO()
    clean.save(target, kind, **({"quality": 88} if kind == "JPEG" else {}))
    return ChildResult({"pages": 1}, target.getvalue())


def _draw(data: bytes, kind: str) -> ChildResult:
    """Return the picture as PNG at screen size. Pictures accepted under an earlier limit are rendered too."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(BytesIO(data), formats=[kind]) as image:
        small = _shrunk(image, (WIDEST, 2 * WIDEST))
        target = BytesIO()
        _on_white(small).save(target, "PNG")
    return ChildResult({}, target.getvalue())


def _square(data: bytes, kind: str) -> ChildResult:
    """Return the middle of the picture as two square JPEGs without metadata, one after the other.

    The first is ``size`` bytes long. A small picture is not enlarged.
    """
    from PIL import Image, ImageOps

    with Image.open(BytesIO(data), formats=[kind]) as image:
        if image.width * image.height > MAX_PIXELS:
            return ChildResult({"problem": TOO_MANY_PIXELS})
        if min(image.size) < LEAST_SIDE:
            return ChildResult({"problem": TOO_SMALL})
        small = _shrunk(image, (MAX_SIDE, MAX_SIDE))
        ImageOps.exif_transpose(small, in_place=True)
        upright = _on_white(small)
    drawn = []
    for side in (LARGE, SMALL):
        target = BytesIO()
        square = ImageOps.fit(upright, (min(side, *upright.size),) * 2)
        square.info.clear()
        square.save(target, "JPEG", quality=84, progressive=True, optimize=True)
        drawn.append(target.getvalue())
    return ChildResult({"size": len(drawn[0])}, b"".join(drawn))


def _fit(data: bytes, kind: str) -> ChildResult:
    """Return the whole picture as two WebP files without metadata, one after the other.

    The first is ``size`` bytes long, ``width`` pixels wide and ``height`` high. A small picture is not enlarged.
    """
    from PIL import Image, ImageOps

    if kind == "HEIF":
        _read_heif()
    with Image.open(BytesIO(data), formats=[kind]) as image:
        if image.width * image.height > CAMERA_PIXELS:
            return ChildResult({"problem": TOO_MANY_PIXELS})
        small = _shrunk(image, (FULL, FULL))
        ImageOps.exif_transpose(small, in_place=True)
        upright = _on_white(small)
    width, height = upright.size
    drawn = []
    for side, quality in ((FULL, 80), (THUMB, 72)):
        upright.thumbnail((side, side))
        upright.info.clear()
        target = BytesIO()
        upright.save(target, "WEBP", quality=quality, method=4)
        drawn.append(target.getvalue())
    return ChildResult({"size": len(drawn[0]), "width": width, "height": height}, b"".join(drawn))


def _read_heif() -> None:
    """Let Pillow read HEIC, in one thread: this process may start no other."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _shrunk(image: "Picture", size: tuple[int, int]) -> "Picture":
    """Return the picture within this size; JPEGs are decoded at a reduced size."""
    image.draft(None, size)
    if max(image.size) > min(size) and image.mode in ("1", "P"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail(size)
    return image


def _on_white(image: "Picture") -> "Picture":
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


ORDERS: Final[dict[str, Callable[[bytes, str], ChildResult]]] = {
    "redraw": _redraw,
    "draw": _draw,
    "square": _square,
    "fit": _fit,
}


if __name__ == "__main__":
    sys.exit(child_process.serve(_work, memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS))
