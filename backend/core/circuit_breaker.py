"""A circuit breaker: skips a dependency for a while after it failed."""

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, TypeVar

import structlog

from backend.core.observability import metrics

log = structlog.get_logger(__name__)
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
TRIAL_SECONDS: Final = 5.0
Given = ParamSpec("Given")
Found = TypeVar("Found")


class CircuitBreaker:
    """Closed normally, open for a pause after each failure, then half-open: one caller tries for all.

    ``call`` does it all; otherwise a caller that was allowed to try reports with ``succeeded`` or ``failed``.
    """

    def __init__(
        self,
        name: str,
        *,
        event: str = "circuit_breaker.opened",
        errors: tuple[type[Exception], ...] = (),
        first: float = FIRST_PAUSE,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self.name = name
        self._event, self._errors = event, errors
        self._lock = threading.Lock()
        self._first, self._longest = first, longest
        self._pause = self._open_until = 0.0  # the last pause; 0 when closed
        self._is_tried = False
        _breakers.add(self)

    @property
    def is_open(self) -> bool:
        """Return whether the dependency is currently skipped."""
        return time.monotonic() < self._open_until

    def lets_pass(self) -> bool:
        """Return whether this caller may try. After a failure only one caller at a time may."""
        if not self._pause:
            return True
        with self._lock:
            if self.is_open:
                return False
            # Later callers wait for the result; if none is reported in time, the next one may try.
            self._open_until, self._is_tried = time.monotonic() + TRIAL_SECONDS, True
            return True

    def succeeded(self) -> None:
        """Report a success and close the breaker."""
        if self._pause:
            with self._lock:
                self._pause, self._open_until, self._is_tried = 0.0, 0.0, False

    def failed(self) -> None:
        """Report a failure and open the breaker for twice the last pause. Concurrent failures count once."""
        with self._lock:
            if self._is_tried or not self.is_open:
                self._pause = min(self._pause * 2 or self._first, self._longest)
                self._open_until, self._is_tried = time.monotonic() + self._pause, False
                metrics.breaker_opened(self.name)

    def call(self, work: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found | None:
        """Return the result of work; None while the breaker is open, or if work raises one of its errors."""
        if self._pause and not self.lets_pass():
            return None
        try:
            found = work(*args, **kwargs)
        except self._errors as error:
            self.failed()
            log.warning(self._event, error=repr(error))
            return None
        if self._pause:
            self.succeeded()
        return found


_breakers: Final[weakref.WeakSet[CircuitBreaker]] = weakref.WeakSet()


def open_by_name() -> Mapping[str, int]:
    """Return how many circuit breakers of each name are open in this process."""
    counts = Counter({breaker.name: 0 for breaker in list(_breakers)})
    counts.update(breaker.name for breaker in list(_breakers) if breaker.is_open)
    return counts
