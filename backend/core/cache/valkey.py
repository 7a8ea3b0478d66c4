"""The part of the cache that all processes share: Flask-Caching over Valkey, for bytes only, that may be away."""

from datetime import timedelta
from typing import Any, Final

import redis
import structlog
from flask import Flask
from flask_caching import Cache
from flask_caching.backends.base import BaseCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.core.cache.breaker import Breaker
from backend.settings import Settings

log = structlog.get_logger(__name__)
PREFIX: Final = "doorstep:"
AWAY: Final = (redis.RedisError, OSError)


class ValkeyBytes(BaseCache):
    """A Flask-Caching backend that keeps bytes as they are, waiting 0.2 s at most; without Valkey it knows nothing."""

    def __init__(self, *, url: str, seconds_to_wait: float) -> None:
        super().__init__()
        self._breaker = Breaker()
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=seconds_to_wait,
            socket_connect_timeout=seconds_to_wait,
            retry=Retry(NoBackoff(), 0),
        )

    @classmethod
    def factory(cls, *given: Any) -> "ValkeyBytes":
        """How Flask-Caching makes it: the last thing given are the CACHE_OPTIONS."""
        options = given[-1]
        return cls(url=options["url"], seconds_to_wait=options["seconds_to_wait"])

    def get(self, key: str) -> bytes | None:
        """What was kept; None when nothing was, or Valkey is away."""
        found = self._try(self._client.get, PREFIX + key)
        return found if isinstance(found, bytes) else None

    def set(self, key: str, value: bytes, timeout: int | timedelta | None = None) -> bool:
        """Keep bytes for so many seconds."""
        return bool(self._try(self._client.set, PREFIX + key, value, ex=timeout or self.default_timeout))

    def claim(self, key: str, *, seconds: int) -> bool | None:
        """Be the one who holds a key for a while. False: someone else does. None: Valkey is away, so nobody knows."""
        held = self._try(lambda: self._client.set(PREFIX + key, b"1", nx=True, ex=seconds) is True)
        return held if isinstance(held, bool) else None

    def delete(self, key: str) -> bool:
        """Forget a key."""
        return bool(self._try(self._client.delete, PREFIX + key))

    def _try(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        if self._breaker.is_open:
            return None
        try:
            found = command(*args, **kwargs)
        except AWAY as error:
            self._breaker.failed()
            log.warning("cache_away", error=repr(error))
            return None
        self._breaker.succeeded()
        return found


def shared_store(app: Flask, settings: Settings) -> ValkeyBytes | None:
    """The shared store by way of Flask-Caching; None where no server is set."""
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
