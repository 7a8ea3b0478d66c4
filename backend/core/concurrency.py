"""Limits on what runs at the same time in one process: a fair semaphore, and a lock per key."""

from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, RLock
from typing import Final

from backend.core.db.session import on_transaction_end
from backend.core.errors import Unavailable

WAIT_SECONDS: Final = 8.0


class FairSemaphore:
    """At most ``at_once`` in this process. The standard library's semaphores let a newcomer overtake who waits.

    ``most``: how many may be here in all, at work or waiting; who comes then is refused at once.
    """

    def __init__(self, at_once: int, *, seconds: float = WAIT_SECONDS, most: int | None = None) -> None:
        self._lock = Lock()
        self._free = at_once
        self._seconds = seconds
        self._room = None if most is None else max(0, most - at_once)
        self._waiting: deque[Event] = deque()

    @contextmanager
    def acquire(self, *, error: str) -> Iterator[None]:
        """Wait for a turn. Raises Unavailable, saying so, when none comes within seconds."""
        if not self._take():
            raise Unavailable(error, retry_after=5)
        try:
            yield
        finally:
            self._give_back()

    def _take(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if self._room is not None and len(self._waiting) >= self._room:
                return False
            turn = Event()
            self._waiting.append(turn)
        if turn.wait(self._seconds):
            return True
        with self._lock:
            if turn.is_set():  # it came in the very last moment
                return True
            self._waiting.remove(turn)
        return False

    def _give_back(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


PATIENCE_SECONDS: Final = 1.0


@dataclass(slots=True)
class _KeyLock:
    lock: "RLock" = field(default_factory=RLock)  # one unit of work may change a row more than once
    people: int = 0


_lines: Final[dict[Hashable, _KeyLock]] = {}
_guard: Final = Lock()


def hold_key_lock(key: Hashable) -> None:
    """Wait until those before have ended their transactions; the next may go when the present one has ended.

    Who waits for long goes on all the same: here nothing is decided, so that nothing can be stuck here either.
    """
    with _guard:
        line = _lines.setdefault(key, _KeyLock())
        line.people += 1
    mine = line.lock.acquire(timeout=PATIENCE_SECONDS)

    def leave() -> None:
        if mine:
            line.lock.release()
        with _guard:
            line.people -= 1
            if not line.people:
                del _lines[key]

    on_transaction_end(leave)
