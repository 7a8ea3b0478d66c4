"""Cached responses as final bytes: looked up in this process, then in Valkey, else computed once (single flight)."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from backend.core.cache.ttl_cache import TtlCache
from backend.core.cache.valkey import ValkeyBytes
from backend.core.cache.versions import Versions
from backend.core.clock import now
from backend.core.observability import metrics

MEMORY_BYTES: Final = 32 << 20
STALE_TIMES: Final = 3  # a response is kept for this many times its lifetime
JITTER: Final = 0.2
LOCK_SECONDS: Final = 5
WAIT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.01
SHARED_PER_MINUTE: Final = 600  # so that a flood of unusual searches cannot fill Valkey, which also holds the queue


@dataclass(frozen=True, slots=True)
class Rendered:
    """A computed response: the bytes of the body, and the version for If-Match."""

    body: bytes
    tag_version: int | None = None


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """The bytes of a body with their entity tag, valid for one version and fresh until a time (Unix seconds)."""

    body: bytes
    etag: str
    version: str
    fresh_until: float

    @property
    def is_fresh(self) -> bool:
        return now().timestamp() < self.fresh_until

    @property
    def age_beyond_freshness(self) -> float:
        """Return the seconds since it stopped being fresh."""
        return now().timestamp() - self.fresh_until

    def packed(self) -> bytes:
        """Return the serialised form for Valkey."""
        return f"{self.fresh_until!r} {self.etag} {self.version}\n".encode() + self.body


def digest(body: bytes) -> str:
    """Return the digest of the bytes for an entity tag."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def decoded(data: bytes | None) -> CachedResponse | None:
    """Return a deserialised response from Valkey, or None if it is invalid or truncated."""
    if data is None:
        return None
    head, _, body = data.partition(b"\n")
    try:
        fresh_until, etag, version = head.decode("ascii").split(" ")
        answer = CachedResponse(body, etag, version, float(fresh_until))
    except ValueError:
        return None
    return answer if etag.rsplit("-", 1)[-1] == digest(body) else None


class ResponseCache:
    """Caches responses by name, version and key. Every failure here leads to a computation, never to an error."""

    def __init__(self, *, store: ValkeyBytes | None, versions: Versions, seconds: int) -> None:
        self._store = store
        self._versions = versions
        self._seconds = seconds
        self._memory: TtlCache[CachedResponse] = TtlCache(
            most_bytes=MEMORY_BYTES, size=lambda answer: len(answer.body) + 300
        )
        self._flights: dict[str, threading.Lock] = {}
        self._flights_lock = threading.Lock()
        self._shared_in_minute = (0, 0)

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
        holds across all processes, at the cost of two more round trips to Valkey.
        """
        lifetime = self._seconds if seconds is None else seconds
        if not self._seconds or not lifetime:
            return self._uncached(name, make)
        place = f"{name}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
        version, found = self._look_up(place, versioned)
        if not version:
            return self._uncached(name, make)
        if found is not None and found.age_beyond_freshness > lifetime * STALE_TIMES:
            found = None
        if found is not None and found.is_fresh:
            metrics.cache_used(name=name, outcome="hit")
            return found
        with self._leading(place, version, stale=found, expensive=expensive) as (other, outcome):
            metrics.cache_used(name=name, outcome=outcome)
            return other or self._keep(place, _cached(make(), version=version, lifetime=lifetime), lifetime)

    def _uncached(self, name: str, make: Callable[[], Rendered]) -> CachedResponse:
        metrics.cache_used(name=name, outcome="away")
        return _cached(make(), version="", lifetime=0)

    def _look_up(self, place: str, versioned: str | None) -> tuple[str | None, CachedResponse | None]:
        """Return the current version and the best response for it.

        The version is read before the query that computes a response, so what that reads is at least as new. Unless
        this process has a fresh response, Valkey is asked at the same time.
        """
        kept = self._memory.get(place)
        if self._store is None or (kept is not None and kept.is_fresh):
            version = self.version(versioned)
            return version, self._find(place, version) if version else None
        data, version = self._store.get_during(place, lambda: self.version(versioned))
        return version, self._best(place, version, data) if version else None

    def _find(self, place: str, version: str) -> CachedResponse | None:
        """Return what this process has for this version or, if that is not fresh, what Valkey has."""
        kept = self._memory.get(place)
        is_enough = kept is not None and kept.version == version and kept.is_fresh
        return self._best(place, version, None if is_enough or self._store is None else self._store.get(place))

    def _best(self, place: str, version: str, data: bytes | None) -> CachedResponse | None:
        """Return the response of this version that is fresh for longest: what this process has, or what Valkey has."""
        kept, shared = self._memory.get(place), decoded(data)
        if kept is not None and kept.version != version:
            kept = None
        if shared is None or shared.version != version or (kept is not None and kept.fresh_until >= shared.fresh_until):
            return kept
        self._memory.put(place, shared)
        return shared

    def _keep(self, place: str, made: CachedResponse, lifetime: int) -> CachedResponse:
        self._memory.put(place, made)
        minute = int(time.monotonic() // 60)
        since, shared = self._shared_in_minute
        self._shared_in_minute = (minute, shared + 1 if since == minute else 1)
        if self._store is not None and self._shared_in_minute[1] <= SHARED_PER_MINUTE:
            self._store.set(place, made.packed(), lifetime * STALE_TIMES)
        return made

    @contextmanager
    def _leading(
        self, place: str, version: str, *, stale: CachedResponse | None, expensive: bool
    ) -> Iterator[tuple[CachedResponse | None, str]]:
        """Yield the response to return with the outcome, or None for the caller that computes it for all others."""
        flight = f"{place}:{version}"
        with self._flights_lock:
            lock = self._flights.setdefault(flight, threading.Lock())
        leads = lock.acquire(blocking=stale is None, timeout=WAIT_SECONDS if stale is None else -1)
        claimed = None
        try:
            landed = self._memory.get(place)
            if not leads and stale is not None:
                yield stale, "stale"
            elif landed is not None and landed.version == version and landed.is_fresh:
                yield landed, "hit"
            else:
                claimed = self._store.claim(flight, seconds=LOCK_SECONDS) if expensive and self._store else None
                other = (stale or self._wait_for_other(flight, place, version)) if claimed is False else None
                yield other, "miss" if other is None else "stale" if stale else "hit"
        finally:
            if claimed and self._store:
                self._store.delete(flight)
            if leads:
                with self._flights_lock:
                    self._flights.pop(flight, None)
                lock.release()

    def _wait_for_other(self, flight: str, place: str, version: str) -> CachedResponse | None:
        """Wait for the response of another process, up to a limit."""
        until = time.monotonic() + WAIT_SECONDS
        while self._store is not None and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            found = self._find(place, version)
            if (found is not None and found.is_fresh) or self._store.get(flight) is None:
                return found if found is not None and found.is_fresh else None
        return None


def _cached(made: Rendered, *, version: str, lifetime: int) -> CachedResponse:
    tag = digest(made.body) if made.tag_version is None else f"v{made.tag_version}-{digest(made.body)}"
    jittered = lifetime * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads expiries; not used for security
    return CachedResponse(made.body, tag, version, now().timestamp() + jittered)
