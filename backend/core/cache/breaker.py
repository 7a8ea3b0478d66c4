"""A breaker: after a failure a part is left alone for a while, longer each time, so that waiting for it stays rare."""

import threading
import time
from typing import Final

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0


class Breaker:
    """Closed while all is well; open for a pause after each failure; one try decides what comes after the pause."""

    def __init__(self, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._lock = threading.Lock()
        self._first, self._longest = first, longest
        self._pause = first
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the part is to be left alone now."""
        return time.monotonic() < self._open_until

    def succeeded(self) -> None:
        """It works: forget the failures."""
        self._pause = self._first

    def failed(self) -> None:
        """It does not work: leave it alone, twice as long as the last time. Threads that fail together count once."""
        with self._lock:
            if not self.is_open:
                self._open_until = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, self._longest)
