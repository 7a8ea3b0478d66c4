"""The in-process part of the cache: the most recently used responses, up to a size."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """A thread-safe LRU cache limited in bytes."""

    def __init__(self, *, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._most_bytes = most_bytes
        self._size = size
        self._bytes = 0
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """Return the value stored under this key, or None."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: Value) -> None:
        """Store a value and evict the least recently used ones if there is no space."""
        with self._lock:
            self._forget(key)
            self._kept[key] = value
            self._bytes += self._size(value)
            while self._bytes > self._most_bytes and self._kept:
                self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _forget(self, key: str) -> None:
        value = self._kept.pop(key, None)
        if value is not None:
            self._bytes -= self._size(value)
