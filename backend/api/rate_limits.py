"""Generous limits on what floods: counted in Valkey, in this process's memory while Valkey is away."""

from typing import Final

import structlog
from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, WindowStats, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from backend.core.addresses import WIDE_FACTOR, prefixes
from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.errors import TooMany
from backend.settings import Settings

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS: Final = 0.2
NOWHERE: Final = "redis://127.0.0.1:1/0"
COUNTED: Final = "doorstep.rate_limit_counted"
NAMES: Final = (
    "signup_rate_limit",
    "forgot_rate_limit",
    "request_rate_limit",
    "document_rate_limit",
    "times_rate_limit",
)
PER_ACCOUNT: Final = {"request_rate_limit", "document_rate_limit", "times_rate_limit"}  # visitors: by address


class RateLimits:
    """The limits that settings name, e.g. ``signup_rate_limit``."""

    def __init__(self, settings: Settings) -> None:
        self._items: dict[str, RateLimitItem] = {name: parse(getattr(settings, name)) for name in NAMES}
        self._wide_items = {
            name: type(item)(item.amount * WIDE_FACTOR, item.multiples) for name, item in self._items.items()
        }
        shared = storage_from_string(
            settings.limits_url or NOWHERE, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._shared: RateLimiter = FixedWindowRateLimiter(shared)
        self._local: RateLimiter = FixedWindowRateLimiter(MemoryStorage())

    def hit_address(self, name: str, address: str | None) -> None:
        """Count one call of an address; for IPv6 of its /64, and of its /48 with a larger limit. Raises TooMany."""
        where = prefixes(address)
        self._hit(self._items[name], name, where.near)
        if where.wide is not None:
            self._hit(self._wide_items[name], name, where.wide)

    def hit(self, name: str, key: str) -> None:
        """Count one call, and note the headers that tell where it stands. Raises TooMany until the window ends."""
        self._hit(self._items[name], name, key)

    def _hit(self, item: RateLimitItem, name: str, key: str) -> None:
        try:
            allowed, stats = _count(self._shared, item, name, key)
        except Exception as error:  # noqa: BLE001 - Valkey is away, however that shows: this process counts alone
            log.warning("rate_limit_storage_away", error=repr(error))
            allowed, stats = _count(self._local, item, name, key)
        wait = max(1, int(stats.reset_time - now().timestamp()) + 1)
        title = name.removesuffix("_rate_limit")
        if not allowed or item is self._items[name]:
            g.rate_limit_headers = {
                "RateLimit-Policy": f'"{title}";q={item.amount};w={item.get_expiry()}',
                "RateLimit": f'"{title}";r={stats.remaining};t={wait}',
            }
        if not allowed:
            raise TooMany("Too many of these in a short time. Wait a little.", retry_after=wait)


def _count(limiter: RateLimiter, item: RateLimitItem, name: str, key: str) -> tuple[bool, WindowStats]:
    return limiter.hit(item, name, key), limiter.get_window_stats(item, name, key)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["rate_limits"] = RateLimits(settings)
    app.after_request(_tell)


def check(name: str | None, actor: Actor | None, *, by_account: bool) -> None:
    """Count this call: by address before anything is read, by account once it is known, whichever the limit is for."""
    if name is None or (name in PER_ACCOUNT) != by_account:
        return
    if COUNTED in request.environ:  # the call is repeated after a conflict in the database
        return
    request.environ[COUNTED] = True
    limits: RateLimits = current_app.extensions["rate_limits"]
    if by_account and actor:
        limits.hit(name, str(actor.id))
    else:
        limits.hit_address(name, request.remote_addr)


def _tell(response: Response) -> Response:
    """RateLimit headers (draft-ietf-httpapi-ratelimit-headers), on refusals too."""
    response.headers.update(g.pop("rate_limit_headers", {}))
    return response
