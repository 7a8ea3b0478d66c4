"""Cached responses as final bytes: looked up in this process, then in Valkey, else computed once (single flight)."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from backend.core.cache.valkey import CachedResponse, ValkeyStore, entity_tag
from backend.core.cache.versions import Versions
from backend.core.clock import now
from backend.core.db import replica
from backend.core.lru_cache import LruCache
from backend.core.observability import metrics

MEMORY_BYTES: Final = 32 << 20
STALE_TIMES: Final = 3  # a response is kept for this many times its lifetime
JITTER: Final = 0.2
LOCK_SECONDS: Final = 5
WAIT_SECONDS: Final = 3.0
MOST_ASKED: Final = 10_000  # keys that a process remembers, about 1 MiB
SHARED_PER_MINUTE: Final = 600  # so that a flood of unusual searches cannot fill Valkey, which also holds the queue


@dataclass(frozen=True, slots=True)
class Rendered:
    """A computed response: the bytes of the body, and the version for If-Match."""

    body: bytes
    tag_version: int | None = None


class ResponseCache:
    """Caches responses by name, version and key. Every failure here leads to a computation, never to an error."""

    def __init__(self, *, store: ValkeyStore, versions: Versions, seconds: int) -> None:
        self._store, self._versions, self._seconds = store, versions, seconds
        self._memory: LruCache[CachedResponse] = LruCache(
            most_bytes=MEMORY_BYTES, size=lambda response: len(response.body) + 300
        )
        self._flights: dict[str, threading.Lock] = {}
        self._asked: set[str] = set()
        self._shared_in_minute: dict[int, int] = {}

    def version(self, versioned: str | None) -> str | None:
        """Return the current version; "" if nothing should be cached, None if the version is unknown."""
        if not self._seconds:
            return ""
        return "-" if versioned is None else self._versions.read(versioned)

    def get(
        self,
        name: str,
        key: str,
        make: Callable[[], Rendered],
        *,
        versioned: str | None = None,
        seconds: int | None = None,
        expensive: bool = False,
    ) -> CachedResponse:
        """Return the response for a key, computed if there is none for the current version.

        A response older than ``seconds`` is computed again by one caller while others get the old one; without any
        response, one caller computes it and the others wait. This holds within a process. If ``expensive``, it
        holds across all processes, at the cost of more round trips to Valkey.

        A key that this process was not asked for before is neither looked up in Valkey nor stored there, unless it is
        ``expensive``: most searches are made once (ADR 189).
        """
        lifetime = self._seconds and (self._seconds if seconds is None else seconds)
        place = f"{name}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
        is_shared = expensive or self._was_asked(place)
        version, found = self._look_up(place, versioned, is_shared=is_shared) if lifetime else ("", None)
        if not version:
            metrics.cache_used(name=name, outcome="away")
            return _cached(make(), version="", lifetime=0)
        if found is not None and now().timestamp() > found.fresh_until + lifetime * STALE_TIMES:
            found = None
        if found is None or not found.is_fresh:
            wait = WAIT_SECONDS if found is None else 0
            with self._leading(f"{place}:{version}", wait=wait, expensive=expensive) as leads:
                landed = self._best(place, version, self._store.get(place) if expensive else None)
                if landed is not None and landed.is_fresh:
                    found = landed
                elif leads or found is None:
                    metrics.cache_used(name=name, outcome="miss")
                    with nullcontext() if versioned is None else replica.cached_under(versioned, version):
                        made = make()
                    response = _cached(made, version=version, lifetime=lifetime)
                    return self._keep(place, response, lifetime, is_shared=is_shared)
        metrics.cache_used(name=name, outcome="hit" if found.is_fresh else "stale")
        return found

    def _was_asked(self, place: str) -> bool:
        """Return whether this process was asked for the key before, as far as it remembers, and remember it."""
        if place in self._asked:
            return True
        if len(self._asked) >= MOST_ASKED:
            self._asked.clear()
        self._asked.add(place)
        return False

    def _look_up(
        self, place: str, versioned: str | None, *, is_shared: bool
    ) -> tuple[str | None, CachedResponse | None]:
        """Return the current version and the best response for it.

        The version is read before the query that computes a response, so what that reads is at least as new. Unless
        this process has a fresh response, Valkey is asked at the same time.
        """
        if not is_shared:
            return self.version(versioned), None
        kept = self._memory.get(place)
        if kept is None or not kept.is_fresh:
            shared, version = self._store.get_during(place, lambda: self.version(versioned))
        else:
            version = self.version(versioned)
            shared = None if kept.version == version else self._store.get(place)
        return version, self._best(place, version, shared)

    def _best(self, place: str, version: str | None, shared: CachedResponse | None) -> CachedResponse | None:
        """Return the response of this version that is fresh for longest: what this process has, or what Valkey has."""
        kept = self._memory.get(place)
        if kept is not None and kept.version != version:
            kept = None
        if shared is None or shared.version != version or (kept is not None and kept.fresh_until >= shared.fresh_until):
            return kept
        self._memory.put(place, shared)
        return shared

    def _keep(self, place: str, response: CachedResponse, lifetime: int, *, is_shared: bool) -> CachedResponse:
        self._memory.put(place, response)
        if not is_shared:
            return response
        minute = int(time.monotonic() // 60)
        number = self._shared_in_minute.get(minute, 0) + 1
        self._shared_in_minute = {minute: number}
        if number <= SHARED_PER_MINUTE:
            self._store.set(place, response, lifetime * STALE_TIMES)
        return response

    @contextmanager
    def _leading(self, flight: str, *, wait: float, expensive: bool) -> Iterator[bool]:
        """Yield whether this caller computes the response for all others, after waiting for one that already does."""
        lock = self._flights.setdefault(flight, threading.Lock())
        leads = lock.acquire(timeout=wait)
        claim = self._store.claimed(flight, seconds=LOCK_SECONDS, wait=wait) if expensive and (leads or wait) else None
        try:
            with claim or nullcontext(leads) as is_first:
                yield is_first is not False  # None: Valkey is unavailable
        finally:
            if leads:
                self._flights.pop(flight, None)
                lock.release()


def _cached(made: Rendered, *, version: str, lifetime: int) -> CachedResponse:
    jittered = lifetime * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads expiries; not used for security
    return CachedResponse(made.body, entity_tag(made.body, made.tag_version), version, now().timestamp() + jittered)
