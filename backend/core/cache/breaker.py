"""A breaker: after a failure a part is left alone for a while, longer each time, so that waiting for it stays rare."""

import threading
import time
from typing import Final

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
TRIAL_SECONDS: Final = 5.0


class Breaker:
    """Closed while all is well, open for a pause after each failure, then half-open: one caller tries for all.

    A caller that was let pass reports with ``succeeded`` or ``failed``.
    """

    def __init__(self, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._lock = threading.Lock()
        self._first, self._longest = first, longest
        self._pause = first
        self._is_failing = self._is_tried = False
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the part is to be left alone now."""
        return time.monotonic() < self._open_until

    def lets_pass(self) -> bool:
        """Whether this caller may try. While the part was failing, one at a time may."""
        if not self._is_failing:
            return True
        with self._lock:
            if self.is_open:
                return False
            # Whoever comes next waits for the outcome; should none be reported, the next one may try.
            self._open_until, self._is_tried = time.monotonic() + TRIAL_SECONDS, True
            return True

    def succeeded(self) -> None:
        """It works: forget the failures."""
        if self._is_failing:
            with self._lock:
                self._is_failing = self._is_tried = False
                self._pause, self._open_until = self._first, 0.0

    def failed(self) -> None:
        """It does not work: leave it alone, twice as long as the last time. Threads that fail together count once."""
        with self._lock:
            if self.is_open and not self._is_tried:
                return
            self._is_failing, self._is_tried = True, False
            self._open_until = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, self._longest)
