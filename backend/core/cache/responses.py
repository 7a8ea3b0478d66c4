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
        place = f"{name}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
        kept = self._memory.get(place)
        question = self._store.begin_get(place) if self._store and (kept is None or not kept.is_fresh) else None
        version = self.version(versioned)
        shared = decoded(question.answer()) if question else None
        if not version or not lifetime:
            metrics.cache_used(name=name, outcome="away")
            return _cached(make(), version="", lifetime=0)
        found = _best(version, kept, shared)
        if found is not None and found.is_fresh:
            if found is not kept:
                self._memory.put(place, found)
            metrics.cache_used(name=name, outcome="hit")
            return found
        if found is not None and found.age_beyond_freshness > lifetime * STALE_TIMES:
            found = None
        return self._fly(_Computation(name, place, version, lifetime, expensive, make), found)

    def _fly(self, flight: "_Computation", stale: CachedResponse | None) -> CachedResponse:
        """Compute once per process or, if expensive and Valkey is available, once across all processes."""
        with self._leading(flight.claim, wait=stale is None) as leads:
            if not leads and stale is not None:
                metrics.cache_used(name=flight.name, outcome="stale")
                return stale
            landed = _best(flight.version, self._memory.get(flight.place))
            if landed is not None and landed.is_fresh:
                metrics.cache_used(name=flight.name, outcome="hit")
                return landed
            if not flight.expensive or self._store is None:
                return self._make(flight)
            claimed = self._store.claim(flight.claim, seconds=LOCK_SECONDS)
            if claimed is False and (other := stale or self._wait_for_other(flight)):
                metrics.cache_used(name=flight.name, outcome="stale" if stale else "hit")
                return other
            try:
                return self._make(flight)
            finally:
                if claimed:
                    self._store.delete(flight.claim)

    def _make(self, flight: "_Computation") -> CachedResponse:
        metrics.cache_used(name=flight.name, outcome="miss")
        made = _cached(flight.make(), version=flight.version, lifetime=flight.lifetime)
        self._memory.put(flight.place, made)
        if self._store is not None and self._may_share():
            share = self._store.set if flight.expensive else self._store.set_later
            share(flight.place, made.packed(), flight.lifetime * STALE_TIMES)
        return made

    def _may_share(self) -> bool:
        minute = int(time.monotonic() // 60)
        since, shared = self._shared_in_minute
        self._shared_in_minute = (minute, shared + 1 if since == minute else 1)
        return self._shared_in_minute[1] <= SHARED_PER_MINUTE

    def _wait_for_other(self, flight: "_Computation") -> CachedResponse | None:
        """Wait for the response of another process, up to a limit."""
        until = time.monotonic() + WAIT_SECONDS
        while self._store is not None and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            shared = _best(flight.version, decoded(self._store.get(flight.place)))
            if shared is not None and shared.is_fresh:
                self._memory.put(flight.place, shared)
                return shared
            if self._store.get(flight.claim) is None:
                return None
        return None

    @contextmanager
    def _leading(self, place: str, *, wait: bool) -> Iterator[bool]:
        with self._flights_lock:
            lock = self._flights.setdefault(place, threading.Lock())
        leads = lock.acquire(blocking=wait, timeout=WAIT_SECONDS if wait else -1)
        try:
            yield leads
        finally:
            if leads:
                with self._flights_lock:
                    self._flights.pop(place, None)
                lock.release()


@dataclass(frozen=True, slots=True)
class _Computation:
    """One computation in progress."""

    name: str
    place: str
    version: str
    lifetime: int
    expensive: bool
    make: Callable[[], Rendered]

    @property
    def claim(self) -> str:
        """Return the name that claims this computation across processes."""
        return f"{self.place}:{self.version}"


def _best(version: str, *answers: CachedResponse | None) -> CachedResponse | None:
    """Return the response of this version that stays fresh for longest."""
    fitting = [answer for answer in answers if answer is not None and answer.version == version]
    return max(fitting, key=lambda answer: answer.fresh_until, default=None)


def _cached(made: Rendered, *, version: str, lifetime: int) -> CachedResponse:
    tag = digest(made.body) if made.tag_version is None else f"v{made.tag_version}-{digest(made.body)}"
    jittered = lifetime * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads expiries; not used for security
    return CachedResponse(made.body, tag, version, now().timestamp() + jittered)
