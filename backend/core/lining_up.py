"""Threads of one process that are about to change the same row line up here, outside of the database.

Who wins is decided by the row alone. But sixty who fight for it there are sixty transactions that begin, wait and are
rolled back; those who line up find what the first one made of it by one plain read.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Final

from backend.core.database import at_end

PATIENCE_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Line:
    lock: "RLock" = field(default_factory=RLock)  # one unit of work may change a row more than once
    people: int = 0


_lines: Final[dict[Hashable, _Line]] = {}
_guard: Final = Lock()


def line_up(key: Hashable) -> None:
    """Wait until those before have ended their transactions; the next may go when the present one has ended.

    Who waits for long goes on all the same: here nothing is decided, so that nothing can be stuck here either.
    """
    with _guard:
        line = _lines.setdefault(key, _Line())
        line.people += 1
    mine = line.lock.acquire(timeout=PATIENCE_SECONDS)

    def leave() -> None:
        if mine:
            line.lock.release()
        with _guard:
            line.people -= 1
            if not line.people:
                del _lines[key]

    at_end(leave)
