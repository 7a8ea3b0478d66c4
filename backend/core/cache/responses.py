"""Answers kept as final bytes: looked for in this process, then in Valkey, else made once however many wait for it."""

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
STALE_TIMES: Final = 3  # an answer is kept this many times longer than it is fresh
JITTER: Final = 0.2
LOCK_SECONDS: Final = 5
WAIT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.01
SHARED_PER_MINUTE: Final = 600  # so that a flood of odd searches cannot fill Valkey, where the queue lives


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was computed: the bytes of the body, and a version that If-Match can name."""

    body: bytes
    tag_version: int | None = None


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """The bytes of a body with their entity tag, good for one version; fresh until a moment (seconds of the epoch)."""

    body: bytes
    etag: str
    version: str
    fresh_until: float

    @property
    def is_fresh(self) -> bool:
        return now().timestamp() < self.fresh_until

    @property
    def age_beyond_freshness(self) -> float:
        """Seconds since it ceased to be fresh."""
        return now().timestamp() - self.fresh_until

    def packed(self) -> bytes:
        """The form that Valkey keeps."""
        return f"{self.fresh_until!r} {self.etag} {self.version}\n".encode() + self.body


def digest(body: bytes) -> str:
    """The part of an entity tag that stands for the bytes."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def decoded(data: bytes | None) -> CachedResponse | None:
    """An answer out of Valkey; None for anything that is not one, whole."""
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
    """Keeps answers by name, version and key. Everything that can fail here ends in computing, never in an error."""

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
        """The present version of what is cached; "" when nothing is to be kept, None when nobody knows."""
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
        """The answer for a key, made when there is none for the present version.

        An answer older than ``seconds`` is made anew by one caller, while the others still get the old one; of those
        who find none at all, one makes it and the others wait for it. That is so within this process; for what is
        ``dear`` to make it is so among all processes, at the price of two more words with Valkey.
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
        """One maker in this process; for what is dear one among the processes, while Valkey is there."""
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
        """What another process makes, within reason."""
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
    """One computation on its way."""

    name: str
    place: str
    version: str
    lifetime: int
    expensive: bool
    make: Callable[[], Rendered]

    @property
    def claim(self) -> str:
        """The name under which one maker is known."""
        return f"{self.place}:{self.version}"


def _best(version: str, *answers: CachedResponse | None) -> CachedResponse | None:
    """Of those that are of this version the one that stays fresh for longest."""
    fitting = [answer for answer in answers if answer is not None and answer.version == version]
    return max(fitting, key=lambda answer: answer.fresh_until, default=None)


def _cached(made: Rendered, *, version: str, lifetime: int) -> CachedResponse:
    tag = digest(made.body) if made.tag_version is None else f"v{made.tag_version}-{digest(made.body)}"
    jittered = lifetime * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # keeps expiries apart, hides nothing
    return CachedResponse(made.body, tag, version, now().timestamp() + jittered)
