"""PDFs, looked at in a child process with limits: a hostile file ends the child, never the web server.

Run as ``python -m backend.domain.documents.pdf check`` or ``... render PAGE`` with the file on standard input.
"""

import json
import re
import resource
import subprocess
import sys
from io import BytesIO
from typing import Any, Final

from backend.core.errors import Invalid

SECONDS: Final = 8
MEMORY_BYTES: Final = 1 << 30
MAX_PAGES: Final = 100
MAX_NODES: Final = 200_000
WIDEST: Final = 1400
UNREADABLE: Final = "This PDF cannot be read. Save it again, without a password, and hand in the copy."
ACTIVE: Final = "This PDF holds scripts, attachments or commands. Print it to a plain PDF and hand in that."
ACTIVE_KEYS: Final = frozenset({"/JS", "/JavaScript", "/AA", "/EF", "/EmbeddedFiles", "/RichMedia", "/XFA", "/Launch"})
HARMLESS_ACTIONS: Final = frozenset({"/GoTo", "/URI", "/Named"})


def _spelled(name: str) -> str:
    """A pattern for a PDF name however its letters are escaped (``/J#61vaScript``)."""
    return "/" + "".join(f"(?:{letter}|#{ord(letter):02x}|#{ord(letter):02X})" for letter in name)


RAW_SIGNS: Final = re.compile(
    "|".join(_spelled(name) for name in ("JavaScript", "Launch", "EmbeddedFile", "RichMedia")).encode()
)


def check(data: bytes) -> int:
    """How many pages it has. Raises Invalid for a PDF that cannot be read, is locked, or does things."""
    answer = json.loads(_child(["check"], data) or b"{}")
    if problem := answer.get("problem"):
        code = "document_refused" if problem == ACTIVE else "document_unreadable"
        raise Invalid.field("document", problem, code=code)
    return int(answer["pages"])


def render(data: bytes, *, page: int) -> bytes:
    """One page (counted from 1) as PNG: nothing in the file runs where the admin looks at it."""
    return _child(["render", str(page)], data)


def _child(arguments: list[str], data: bytes) -> bytes:
    try:
        command = [sys.executable, "-m", "backend.domain.documents.pdf", *arguments]
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Invalid.field("document", UNREADABLE, code="document_unreadable") from error
    if done.returncode != 0 or not done.stdout:
        raise Invalid.field("document", UNREADABLE, code="document_unreadable")
    return done.stdout


def _check_here(data: bytes) -> dict[str, Any]:
    import pypdfium2
    from pypdf import PdfReader

    if RAW_SIGNS.search(data):
        return {"problem": ACTIVE}
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted:
        return {"problem": UNREADABLE}
    if _does_things(reader):
        return {"problem": ACTIVE}
    pages = len(pypdfium2.PdfDocument(data))
    if not 1 <= pages <= MAX_PAGES or len(reader.pages) != pages:
        return {"problem": UNREADABLE if pages <= MAX_PAGES else f"At most {MAX_PAGES} pages."}
    return {"pages": pages}


def _does_things(reader: Any) -> bool:
    """Whether any object of the file, reachable or not, is a script, an attachment, or an action beyond a link."""
    seen = 0
    waiting: list[Any] = [reader.trailer, *_objects(reader)]
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            return True
        if isinstance(node, dict):
            if _is_active(node):
                return True
            waiting.extend(dict.values(node))
        elif isinstance(node, list):
            waiting.extend(list.__iter__(node))
    return False


def _is_active(node: dict[Any, Any]) -> bool:
    from pypdf.generic import PdfObject

    if not ACTIVE_KEYS.isdisjoint(node):
        return True
    if dict.get(node, "/Type") == "/Action" or "/S" in node:
        kind = str(dict.get(node, "/S", ""))
        if kind in ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie"):
            return True
    opening = dict.get(node, "/OpenAction")
    if isinstance(opening, PdfObject):
        opening = opening.get_object()
    return isinstance(opening, dict) and str(opening.get("/S", "/GoTo")) not in HARMLESS_ACTIONS


def _objects(reader: Any) -> list[Any]:
    from pypdf.generic import IndirectObject

    numbers = {(number, gen) for gen, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    found = (reader.get_object(IndirectObject(number, gen, reader)) for number, gen in sorted(numbers))
    return [one for one in found if one is not None]


def _render_here(data: bytes, page: int) -> bytes:
    import pypdfium2

    drawn = pypdfium2.PdfDocument(data)[page - 1]
    width, height = drawn.get_size()
    scale = min(WIDEST / max(width, 1), 2 * WIDEST / max(height, 1), 4)
    target = BytesIO()
    drawn.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB").save(target, "PNG")
    return target.getvalue()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    if sys.argv[1] == "render":
        sys.stdout.buffer.write(_render_here(data, int(sys.argv[2])))
        return 0
    try:
        answer = _check_here(data)
    except Exception:  # noqa: BLE001  # whatever a hostile file makes the libraries raise, it is a file that cannot be read
        answer = {"problem": UNREADABLE}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
