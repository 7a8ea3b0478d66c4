"""A cache in this process's memory: the most recently used values, up to a size."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """cachetools' LRU cache limited in bytes, made thread-safe."""

    def __init__(self, *, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._kept: LRUCache[str, Value] = LRUCache(most_bytes, getsizeof=size)
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """Return the value stored under this key, or None."""
        with self._lock:
            try:
                return self._kept[key]
            except KeyError:
                return None

    def put(self, key: str, value: Value) -> None:
        """Store a value and evict the least recently used ones if there is no space."""
        with self._lock, suppress(ValueError):  # it is larger than the whole cache
            self._kept[key] = value

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._kept.clear()
