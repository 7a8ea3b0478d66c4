"""The shared part of the cache: Flask-Caching over Valkey, for bytes only. Valkey may be unavailable."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, ParamSpec, TypeVar

import redis
import structlog
from cachelib.serializers import RedisSerializer
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.rediscache import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.settings import Settings

log = structlog.get_logger(__name__)
PREFIX: Final = "doorstep:"
CONNECTION_ERRORS: Final = (redis.RedisError, OSError)
Given = ParamSpec("Given")
Found = TypeVar("Found")


class RawBytes(RedisSerializer):
    """Stores bytes as they are: Flask-Caching would pickle, and a pickle from a shared server can run code."""

    def dumps(self, value: bytes, protocol: int = 0) -> bytes:  # noqa: ARG002  # the library's signature
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        return value


class ValkeyBytes(RedisCache):
    """Flask-Caching's Redis backend for raw bytes. Without Valkey every lookup is a miss, after one short wait."""

    serializer = RawBytes()

    def __init__(self, host: redis.Redis, *, default_timeout: int, key_prefix: str = PREFIX, **_: object) -> None:
        super().__init__(host, default_timeout=default_timeout, key_prefix=key_prefix)
        self._breaker = CircuitBreaker()

    def get(self, key: str) -> bytes | None:
        """Return the stored value, or None if there is none or Valkey is unavailable."""
        return self._try(self._read, PREFIX + key)

    def get_during(self, key: str, work: Callable[[], Found]) -> tuple[bytes | None, Found]:
        """Return the stored value, as ``get`` does, and the result of work that runs while Valkey responds."""
        done: list[Found] = []
        value = self._try(self._read, PREFIX + key, lambda: done.append(work()))
        return value, done[0] if done else work()

    def set(self, key: str, value: bytes, timeout: int | timedelta | None = None) -> bool:
        """Store bytes for ``timeout`` seconds."""
        return bool(self._try(super().set, key, value, timeout))

    def delete(self, key: str) -> bool:
        """Delete a key."""
        return bool(self._try(super().delete, key))

    def claim(self, key: str, *, seconds: int) -> bool | None:
        """Claim a key for some seconds. Returns False if it is already claimed, None if Valkey is unavailable.

        The library's ``add`` sets the expiry in a second command, which a crash would lose.
        """
        return self._try(lambda: self._write_client.set(PREFIX + key, b"1", nx=True, ex=seconds) is True)

    def _read(self, key: str, meanwhile: Callable[[], None] | None = None) -> bytes | None:
        """Read through a connection itself: the client's ``get`` takes twice as long, and this runs at every miss."""
        pool = self._read_client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command("GET", key)
            if meanwhile is not None:
                meanwhile()
            found: bytes | None = connection.read_response()
        except BaseException:  # whatever the error, the next user of the connection must not read this response
            connection.disconnect()
            raise
        finally:
            pool.release(connection)
        return found

    def _try(self, command: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found | None:
        if not self._breaker.lets_pass():
            return None
        try:
            found = command(*args, **kwargs)
        except CONNECTION_ERRORS as error:
            self._breaker.failed()
            log.warning("cache.unavailable", error=repr(error))
            return None
        self._breaker.succeeded()
        return found


def shared_store(app: Flask, settings: Settings) -> ValkeyBytes | None:
    """Create the shared store through Flask-Caching; None without a server."""
    if not settings.cache_url:
        return None
    seconds = settings.cache_timeout_ms / 1000
    caching = Cache()
    caching.init_app(
        app,
        config={
            "CACHE_TYPE": f"{__name__}.ValkeyBytes",
            "CACHE_DEFAULT_TIMEOUT": settings.cache_seconds,
            "CACHE_KEY_PREFIX": PREFIX,
            "CACHE_REDIS_URL": settings.cache_url,
            "CACHE_OPTIONS": {
                "socket_timeout": seconds,
                "socket_connect_timeout": seconds,
                "retry": Retry(NoBackoff(), 0),
            },
        },
    )
    store: ValkeyBytes = app.extensions["cache"][caching]
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
