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
    """A FIFO semaphore. With threading.Semaphore, new arrivals can overtake waiting threads.

    ``at_once`` threads of this process may hold it. ``most`` limits holders and waiters together; further callers are
    rejected immediately.
    """

    def __init__(self, at_once: int, *, seconds: float = WAIT_SECONDS, most: int | None = None) -> None:
        self._lock = Lock()
        self._at_once = self._free = at_once
        self._seconds = seconds
        self._room = None if most is None else max(0, most - at_once)
        self._waiting: deque[Event] = deque()

    @property
    def in_use(self) -> int:
        """Return how many threads hold the semaphore."""
        return self._at_once - self._free

    @property
    def waiting(self) -> int:
        """Return how many threads wait for it."""
        return len(self._waiting)

    @contextmanager
    def acquire(self, *, error: str) -> Iterator[None]:
        """Wait for a place. Raises Unavailable with the message ``error`` after the timeout."""
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
            granted = Event()
            self._waiting.append(granted)
        if granted.wait(self._seconds):
            return True
        with self._lock:
            if granted.is_set():  # it was released just now
                return True
            self._waiting.remove(granted)
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
    lock: "RLock" = field(default_factory=RLock)  # reentrant: one unit of work may change a row more than once
    users: int = 0


_key_locks: Final[dict[Hashable, _KeyLock]] = {}
_guard: Final = Lock()


def hold_key_lock(key: Hashable) -> None:
    """Take the lock of this key until the current transaction ends.

    Continues without the lock after a timeout: it is only an optimisation and must never block a call.
    """
    with _guard:
        entry = _key_locks.setdefault(key, _KeyLock())
        entry.users += 1
    is_locked = entry.lock.acquire(timeout=PATIENCE_SECONDS)

    def release() -> None:
        if is_locked:
            entry.lock.release()
        with _guard:
            entry.users -= 1
            if not entry.users:
                del _key_locks[key]

    on_transaction_end(release)
