"""The shared part of the cache: Flask-Caching over Valkey, for bytes only. Valkey may be unavailable."""

import contextlib
import queue
import threading
import time
import weakref
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import redis
import structlog
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.settings import Settings

log = structlog.get_logger(__name__)
PREFIX: Final = "doorstep:"
CONNECTION_ERRORS: Final = (redis.RedisError, OSError)
MOST_WAITING: Final = 500
AT_ONCE: Final = 50
IDLE_SECONDS: Final = 5.0
Entry = tuple[str, bytes, int]


class ValkeyBytes(BaseCache):
    """A Flask-Caching backend for raw bytes with a timeout of 0.2 s. Without Valkey every lookup is a miss."""

    def __init__(self, *, url: str, seconds_to_wait: float) -> None:
        super().__init__()
        self._breaker = CircuitBreaker()
        self._later: queue.Queue[Entry] = queue.Queue(MOST_WAITING)
        self._writer: threading.Thread | None = None
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=seconds_to_wait,
            socket_connect_timeout=seconds_to_wait,
            retry=Retry(NoBackoff(), 0),
        )

    @classmethod
    def factory(cls, *given: Any) -> "ValkeyBytes":
        """Create the backend for Flask-Caching, which passes CACHE_OPTIONS last."""
        options = given[-1]
        return cls(url=options["url"], seconds_to_wait=options["seconds_to_wait"])

    def get(self, key: str) -> bytes | None:
        """Return the stored value, or None if there is none or Valkey is unavailable."""
        found = self._try(self._client.get, PREFIX + key)
        return found if isinstance(found, bytes) else None

    def begin_get(self, key: str) -> "PendingGet | None":
        """Send a GET without waiting for the response. Returns None if Valkey is unavailable."""
        if not self._breaker.lets_pass():
            return None
        pool = self._client.connection_pool
        try:
            connection = pool.get_connection()
        except CONNECTION_ERRORS as error:
            self._fail(error)
            return None
        try:
            connection.send_command("GET", PREFIX + key)  # type: ignore[no-untyped-call]  # redis says no more of it
        except CONNECTION_ERRORS as error:
            connection.disconnect()  # type: ignore[no-untyped-call]  # the same
            pool.release(connection)  # otherwise each failure would lose one connection of the pool
            self._fail(error)
            return None
        return PendingGet(connection, self)

    def set(self, key: str, value: bytes, timeout: int | timedelta | None = None) -> bool:
        """Store bytes for ``timeout`` seconds."""
        return bool(self._try(self._client.set, PREFIX + key, value, ex=timeout or self.default_timeout))

    def set_later(self, key: str, value: bytes, timeout: int) -> None:
        """Store bytes from a background thread, without making the caller wait. Drops entries if the queue is full."""
        if not self._later.full() and not self._breaker.is_open:
            self._later.put_nowait((key, value, timeout))
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=_write, args=(weakref.ref(self), self._later), daemon=True)
                self._writer.start()

    def write(self, entries: list[Entry]) -> None:
        """Store several entries in one round trip."""
        with self._client.pipeline(transaction=False) as pipeline:
            for key, value, timeout in entries:
                pipeline.set(PREFIX + key, value, ex=timeout)
            self._try(pipeline.execute)

    def claim(self, key: str, *, seconds: int) -> bool | None:
        """Claim a key for some seconds. Returns False if it is already claimed, None if Valkey is unavailable."""
        held = self._try(lambda: self._client.set(PREFIX + key, b"1", nx=True, ex=seconds) is True)
        return held if isinstance(held, bool) else None

    def delete(self, key: str) -> bool:
        """Delete a key."""
        return bool(self._try(self._client.delete, PREFIX + key))

    def _try(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._breaker.lets_pass():
            return None
        try:
            found = command(*args, **kwargs)
        except CONNECTION_ERRORS as error:
            self._fail(error)
            return None
        self._breaker.succeeded()
        return found

    def read_reply(self, connection: Any) -> bytes | None:
        """Read the response to a pipelined GET."""
        try:
            found = connection.read_response()
        except CONNECTION_ERRORS as error:
            connection.disconnect()
            self._fail(error)
            return None
        finally:
            self._client.connection_pool.release(connection)
        self._breaker.succeeded()
        return found if isinstance(found, bytes) else None

    def _fail(self, error: Exception) -> None:
        self._breaker.failed()
        log.warning("cache.unavailable", error=repr(error))


@dataclass(slots=True)
class PendingGet:
    """A pending GET. Its response must be read exactly once, because the connection is held until then."""

    connection: Any
    store: ValkeyBytes

    def answer(self) -> bytes | None:
        """Return the stored value, or None if there is none or Valkey became unavailable."""
        return self.store.read_reply(self.connection)


def _write(store: "weakref.ref[ValkeyBytes]", waiting: "queue.Queue[Entry]") -> None:
    """Write queued entries in batches; end when idle or when the store no longer exists."""
    while True:
        try:
            entries = [waiting.get(timeout=IDLE_SECONDS)]
        except queue.Empty:
            return
        with contextlib.suppress(queue.Empty):
            while len(entries) < AT_ONCE:
                entries.append(waiting.get_nowait())
        if (target := store()) is None:
            return
        target.write(entries)
        del target


def shared_store(app: Flask, settings: Settings) -> ValkeyBytes | None:
    """Create the shared store through Flask-Caching; None without a server."""
    if not settings.cache_url:
        return None
    caching = Cache()
    caching.init_app(
        app,
        config={
            "CACHE_TYPE": f"{__name__}.ValkeyBytes",
            "CACHE_DEFAULT_TIMEOUT": settings.cache_seconds,
            "CACHE_OPTIONS": {"url": settings.cache_url, "seconds_to_wait": settings.cache_timeout_ms / 1000},
        },
    )
    store = app.extensions["cache"][caching]
    if not isinstance(store, ValkeyBytes):
        raise TypeError("Flask-Caching made another backend than ours")
    return store


FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
TRIAL_SECONDS: Final = 5.0


class CircuitBreaker:
    """Closed normally, open for a pause after each failure, then half-open: one caller tries for all.

    A caller that was allowed to try reports with ``succeeded`` or ``failed``.
    """

    def __init__(self, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._lock = threading.Lock()
        self._first, self._longest = first, longest
        self._pause = first
        self._is_failing = self._is_tried = False
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Return whether the dependency is currently skipped."""
        return time.monotonic() < self._open_until

    def lets_pass(self) -> bool:
        """Return whether this caller may try. After a failure only one caller at a time may."""
        if not self._is_failing:
            return True
        with self._lock:
            if self.is_open:
                return False
            # Later callers wait for the result; if none is reported in time, the next one may try.
            self._open_until, self._is_tried = time.monotonic() + TRIAL_SECONDS, True
            return True

    def succeeded(self) -> None:
        """Report a success and close the breaker."""
        if self._is_failing:
            with self._lock:
                self._is_failing = self._is_tried = False
                self._pause, self._open_until = self._first, 0.0

    def failed(self) -> None:
        """Report a failure and open the breaker for twice the last pause. Concurrent failures count once."""
        with self._lock:
            if self.is_open and not self._is_tried:
                return
            self._is_failing, self._is_tried = True, False
            self._open_until = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, self._longest)
