"""Accessible PDFs (PDF/UA-1: tagged, with title and language) from data, typeset by Typst in a child process.

The templates are in backend/templates/pdf, with the fonts. Data reaches a template as JSON, so that nothing in it is
read as markup. Nothing here may run while a transaction is open: a child works for half a second.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from backend.core import child_process
from backend.core.child_process import ChildFailed, ChildResult
from backend.core.concurrency import FairSemaphore
from backend.core.errors import Unavailable

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates" / "pdf"
AT_ONCE: Final = 1  # a child takes a whole core
QUEUED: Final = 8
CHILD_SECONDS: Final = 30.0  # the child's limit is the processor time; this one is for a machine that is overloaded
CPU_SECONDS: Final = 20
MEMORY_BYTES: Final = 4 << 30  # of addresses, of which each thread reserves many; some 150 MB are used
BUSY: Final = "Too many PDF files are being made. Try again in a moment."
FAILED: Final = "The PDF file could not be made. Try again in a few minutes."
_places: Final = FairSemaphore(AT_ONCE, most=QUEUED)


def render(template: str, data: Mapping[str, object], *, made_at: datetime) -> bytes:
    """Return the PDF of a template; the same data and time make the same file.

    Raises:
        Unavailable: Too many are being made, or the machine is overloaded.
    """
    arguments = [template, str(int(made_at.timestamp()))]
    with _places.acquire(error=BUSY):
        try:
            return child_process.run(__name__, arguments, orjson.dumps(data), seconds=CHILD_SECONDS).data
        except ChildFailed as error:
            raise Unavailable(FAILED, retry_after=60) from error


def _typeset(arguments: Sequence[str], data: bytes) -> ChildResult:
    import typst  # 80 MB, which only the child loads

    template, made_at = arguments
    pdf = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        font_paths=[str(TEMPLATES / "fonts")],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": data.decode()},
        pdf_standards=["ua-1"],
        timestamp=int(made_at),
    )
    return ChildResult({}, pdf)


if __name__ == "__main__":
    sys.exit(child_process.serve(_typeset, memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS, threads=True))
