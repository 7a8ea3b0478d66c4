"""PDFs, processed in a child process with limits: a hostile file ends the child, never the web server.

Run as ``python -m backend.domain.documents.pdf check`` or ``... draw PAGE`` with the file on standard input.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final

from backend.core import child_process
from backend.core.child_process import ChildResult

if TYPE_CHECKING:
    from pypdf import PdfReader

CPU_SECONDS: Final = 8
MEMORY_BYTES: Final = 1 << 30
MAX_PAGES: Final = 100
MAX_OBJECTS: Final = 50_000
MAX_NODES: Final = 200_000
WIDEST: Final = 1400
UNREADABLE: Final = "document_unreadable"
ACTIVE: Final = "document_refused"
TOO_COMPLEX: Final = "document_too_complex"
TOO_MANY_PAGES: Final = "document_too_long"
ACTIVE_KEYS: Final = frozenset({"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/RichMedia", "/XFA", "/Launch"})
ACTIVE_ANNOTATIONS: Final = frozenset({"/Sound", "/Movie", "/Screen", "/3D", "/RichMedia", "/FileAttachment"})
# Keys of a PDF that contain actions (ISO 32000-2, 12.6); actions that are not on the list are rejected.
ACTION_PLACES: Final = frozenset({"/OpenAction", "/A", "/PA", "/Next"})
ALLOWED_ACTIONS: Final = frozenset({"/GoTo", "/Named", "/URI"})
ALLOWED_LINKS: Final = re.compile(r"\s*(https?|mailto):", re.IGNORECASE)


def _spelled(name: str) -> str:
    """A pattern for a PDF name however its letters are escaped (``/J#61vaScript``)."""
    return "/" + "".join(f"(?:{letter}|#{ord(letter):02x}|#{ord(letter):02X})" for letter in name)


RAW_SIGNS: Final = re.compile(
    "|".join(_spelled(name) for name in ("JavaScript", "Launch", "EmbeddedFile", "RichMedia")).encode()
)


def _work(arguments: Sequence[str], data: bytes) -> ChildResult:
    if arguments[0] == "draw":
        return _draw(data, int(arguments[1]))
    try:
        return _check(data)
    except Exception:  # noqa: BLE001  # whatever a hostile file makes the libraries raise, it cannot be read
        return ChildResult({"problem": UNREADABLE})


def _check(data: bytes) -> ChildResult:
    import pypdfium2
    from pypdf import PdfReader

    if RAW_SIGNS.search(data):
        return ChildResult({"problem": ACTIVE})
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted:
        return ChildResult({"problem": UNREADABLE})
    numbers = _numbers(reader)
    if len(numbers) > MAX_OBJECTS:
        return ChildResult({"problem": TOO_COMPLEX})
    if problem := _problem_in(reader, numbers):
        return ChildResult({"problem": problem})
    pages = len(pypdfium2.PdfDocument(data))
    if pages > MAX_PAGES:
        return ChildResult({"problem": TOO_MANY_PAGES})
    if pages < 1 or len(reader.pages) != pages:
        return ChildResult({"problem": UNREADABLE})
    return ChildResult({"pages": pages})


def _problem_in(reader: "PdfReader", numbers: set[tuple[int, int]]) -> str | None:
    """Return the first problem of any object of the file, whether or not a page refers to it."""
    seen = 0
    waiting: list[object] = [reader.trailer, *_objects(reader, numbers)]
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            return TOO_COMPLEX
        if isinstance(node, dict):
            if _is_active(node):
                return ACTIVE
            waiting.extend(dict.values(node))
        elif isinstance(node, list):
            waiting.extend(list.__iter__(node))
    return None


def _is_active(node: dict[object, object]) -> bool:
    if not ACTIVE_KEYS.isdisjoint(node):
        return True
    if "/Rect" in node and str(_resolved(dict.get(node, "/Subtype"))) in ACTIVE_ANNOTATIONS:
        return True
    return any(not _is_allowed(action) for action in _actions(node))


def _actions(node: dict[object, object]) -> Iterator[dict[object, object]]:
    """Yield the actions in this object. A dictionary is an action by its type, or by its key and its ``/S``."""
    if "/Type" in node and str(_resolved(dict.get(node, "/Type"))) == "/Action":
        yield node
    for place in ACTION_PLACES & node.keys():
        value = _resolved(dict.get(node, place))
        for one in list.__iter__(value) if isinstance(value, list) else [value]:
            action = _resolved(one)
            if isinstance(action, dict) and "/S" in action:
                yield action


def _is_allowed(action: dict[object, object]) -> bool:
    kind = str(_resolved(dict.get(action, "/S")))
    if kind == "/URI":
        target = _resolved(dict.get(action, "/URI"))
        text = target.decode("latin-1") if isinstance(target, bytes) else str(target)
        return ALLOWED_LINKS.match(text) is not None
    return kind in ALLOWED_ACTIONS


def _resolved(value: object) -> object:
    from pypdf.generic import IndirectObject

    return value.get_object() if isinstance(value, IndirectObject) else value


def _numbers(reader: "PdfReader") -> set[tuple[int, int]]:
    numbers = {(number, gen) for gen, table in reader.xref.items() for number in table}
    return numbers | {(number, 0) for number in reader.xref_objStm}


def _objects(reader: "PdfReader", numbers: set[tuple[int, int]]) -> list[object]:
    from pypdf.generic import IndirectObject

    found = (reader.get_object(IndirectObject(number, gen, reader)) for number, gen in sorted(numbers))
    return [one for one in found if one is not None]


def _draw(data: bytes, page: int) -> ChildResult:
    import pypdfium2

    drawn = pypdfium2.PdfDocument(data)[page - 1]
    width, height = drawn.get_size()
    scale = min(WIDEST / max(width, 1), 2 * WIDEST / max(height, 1), 4)
    target = BytesIO()
    drawn.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB").save(target, "PNG")
    return ChildResult({}, target.getvalue())


if __name__ == "__main__":
    sys.exit(child_process.serve(_work, memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS))
