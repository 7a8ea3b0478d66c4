"""The shared part of the cache: responses in Valkey, through Flask-Caching. Valkey may be unavailable."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self, TypeVar, cast

import redis
from cachelib.serializers import RedisSerializer
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.rediscache import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import LockError
from redis.lock import Lock
from redis.retry import Retry

from backend.core import valkey
from backend.core.circuit_breaker import CircuitBreaker
from backend.core.clock import now
from backend.settings import ROOT, VERSION, Settings


def _prefix() -> str:
    """Return a prefix of keys that versions with other responses do not share, as both run during an upgrade."""
    try:
        described = (ROOT / "openapi.json").read_bytes()
    except OSError:
        described = b""
    return f"doorstep:{hashlib.sha256(VERSION.encode() + described).hexdigest()[:8]}:"


PREFIX: Final = _prefix()
POLL_SECONDS: Final = 0.01
RENEWALS: Final = 3  # of a claim within its seconds
Found = TypeVar("Found")


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


def digest(body: bytes) -> str:
    """Return a digest of the bytes, not for security.

    Processors have instructions for SHA-1: a page of 60 kB takes half the time of BLAKE2.
    """
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()[:16]


def entity_tag(body: bytes, version: int | None = None) -> str:
    """Return the ETag (RFC 9110, 8.8.3): the version for If-Match, and a digest of the body for If-None-Match."""
    return digest(body) if version is None else f"v{version}-{digest(body)}"


class ResponseSerializer(RedisSerializer):
    """Stores responses as bytes: Flask-Caching would pickle, and a pickle from a shared server can run code."""

    def dumps(self, value: CachedResponse, protocol: int = 0) -> bytes:  # noqa: ARG002  # the library's signature
        return f"{value.fresh_until!r} {value.etag} {value.version}\n".encode() + value.body

    def loads(self, value: bytes | None) -> CachedResponse | None:
        """Return a stored response, or None if there is none or it is invalid or truncated."""
        head, _, body = (value or b"").partition(b"\n")
        try:
            fresh_until, etag, version = head.decode("ascii").split(" ")
            response = CachedResponse(body, etag, version, float(fresh_until))
        except ValueError:
            return None
        return response if etag.rsplit("-", 1)[-1] == digest(body) else None


class ValkeyStore(RedisCache):
    """Flask-Caching's Redis backend for responses. Without Valkey every lookup is a miss, after one short wait."""

    serializer = ResponseSerializer()

    def __init__(self, host: redis.Redis, *, key_prefix: str = PREFIX, **_: object) -> None:
        super().__init__(host, key_prefix=key_prefix)
        self._breaker = CircuitBreaker("cache", event="cache.unavailable", errors=(redis.RedisError, OSError))

    @classmethod
    def factory(cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> Self:  # noqa: ARG003  # the library's signature
        """Make the store as Flask-Caching does, with a client that may find its server through Sentinels."""
        return cls(valkey.client(config["CACHE_REDIS_URL"], **config["CACHE_OPTIONS"]))

    def get(self, key: str) -> CachedResponse | None:
        """Return the stored response, or None if there is none or Valkey is unavailable."""
        return self.get_during(key, lambda: None)[0]

    def get_during(self, key: str, work: Callable[[], Found]) -> tuple[CachedResponse | None, Found]:
        """Return the stored response, as ``get`` does, and the result of work that runs while Valkey responds."""
        done: list[Found] = []
        data = self._breaker.call(self._read, PREFIX + key, lambda: done.append(work()))
        return self.serializer.loads(data), done[0] if done else work()

    def set(self, key: str, value: CachedResponse, timeout: int | timedelta | None = None) -> bool:
        """Store a response for ``timeout`` seconds."""
        return bool(self._breaker.call(super().set, key, value, timeout))

    @contextmanager
    def claimed(self, key: str, *, seconds: int, wait: float = 0, is_renewed: bool = False) -> Iterator[bool | None]:
        """Hold a lock shared by all processes, for some seconds at most, or until the end of the block.

        ``is_renewed``: it is renewed for as long as the block takes, and lasts for those seconds after a process that
        is killed.

        Yields whether it was free within the time to wait, or None if Valkey is unavailable. It lasts for its seconds
        too where it could not be released, or where a Valkey that froze executes it later.
        """
        lock = self._write_client.lock(
            PREFIX + key, timeout=seconds, sleep=POLL_SECONDS, blocking_timeout=wait, thread_local=False
        )
        is_held = self._breaker.call(lock.acquire)
        try:
            with self._renewing(lock, every=seconds / RENEWALS) if is_held and is_renewed else nullcontext():
                yield is_held
        finally:
            if is_held:
                self._breaker.call(_unless_lost, lock.release)

    @contextmanager
    def _renewing(self, lock: Lock, *, every: float) -> Iterator[None]:
        """Renew a lock every so many seconds. One that was lost meanwhile, as Valkey was away, stays lost."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(every):
                self._breaker.call(_unless_lost, lock.reacquire)

        threading.Thread(target=renew, name="claim-renewal", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _read(self, key: str, meanwhile: Callable[[], None]) -> bytes | None:
        """Read through a connection itself: the client's ``get`` takes twice as long, and this runs at every miss."""
        pool = self._read_client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command("GET", key)
            meanwhile()
            return cast("bytes | None", connection.read_response())
        except BaseException:  # whatever the error, the next user of the connection must not read this response
            connection.disconnect()
            raise
        finally:
            pool.release(connection)


def _unless_lost(work: Callable[[], object]) -> None:
    """Do something with a lock, unless it expired and may be another's: that is no failure of Valkey."""
    with suppress(LockError):
        work()


def shared_store(app: Flask, settings: Settings) -> ValkeyStore:
    """Create the shared store through Flask-Caching."""
    seconds = settings.cache_timeout_ms / 1000
    options = {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": Retry(NoBackoff(), 0)}
    config = {
        "CACHE_TYPE": f"{__name__}.ValkeyStore",
        "CACHE_KEY_PREFIX": PREFIX,
        "CACHE_REDIS_URL": settings.cache_url,
        "CACHE_OPTIONS": options,
    }
    cache = Cache(app, config=config)
    return cast("ValkeyStore", app.extensions["cache"][cache])
