"""The part of the cache that one process has for itself: the answers used last, up to a size."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Keeps what was used last, up to so many bytes. Safe for threads."""

    def __init__(self, *, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._most_bytes = most_bytes
        self._size = size
        self._bytes = 0
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """What was kept under this key."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: Value) -> None:
        """Keep this; what was not used for longest goes when there is no room."""
        with self._lock:
            self._forget(key)
            self._kept[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._most_bytes and self._kept:
                self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _forget(self, key: str) -> None:
        value = self._kept.pop(key, None)
        if value is not None:
            self._bytes -= self._size(value)
