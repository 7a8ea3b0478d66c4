"""Generous limits on what floods: counted in Valkey, in this process's memory while Valkey is away."""

from typing import Final

import structlog
from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.errors import TooMany
from backend.settings import Settings

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS: Final = 0.2
PER_ACCOUNT: Final = {"request_rate_limit"}


class RateLimits:
    """The limits that settings name, e.g. ``signup_rate_limit``."""

    def __init__(self, settings: Settings) -> None:
        names = ("signup_rate_limit", "forgot_rate_limit", "request_rate_limit")
        self._items: dict[str, RateLimitItem] = {name: parse(getattr(settings, name)) for name in names}
        shared = storage_from_string(
            settings.limits_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._shared: RateLimiter = FixedWindowRateLimiter(shared)
        self._local: RateLimiter = FixedWindowRateLimiter(MemoryStorage())

    def hit(self, name: str, key: str) -> None:
        """Count one call. Raises TooMany with the seconds until the window ends."""
        item = self._items[name]
        try:
            limiter, allowed = self._shared, self._shared.hit(item, name, key)
        except Exception as error:  # Valkey is away: limits go on in this process alone
            log.warning("rate_limit_storage_away", error=repr(error))
            limiter, allowed = self._local, self._local.hit(item, name, key)
        if not allowed:
            reset = limiter.get_window_stats(item, name, key).reset_time
            raise TooMany(
                "Too many of these in a short time. Wait a little.", retry_after=max(1, int(reset - now().timestamp()) + 1)
            )


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["rate_limits"] = RateLimits(settings)


def check(name: str | None, actor: Actor | None) -> None:
    """Count this call against a limit: before sign-in by address, after it by account, whichever the limit is for."""
    if name is None or (name in PER_ACCOUNT) != (actor is not None):
        return
    limits: RateLimits = current_app.extensions["rate_limits"]
    limits.hit(name, str(actor.id) if actor else request.remote_addr or "unknown")
