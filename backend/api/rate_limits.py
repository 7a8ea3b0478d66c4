"""Rate limits against abuse, counted in Valkey, or in this process's memory while Valkey is unavailable."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, WindowStats, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from backend.core import text, valkey
from backend.core.cache import digest
from backend.core.clock import now
from backend.core.errors import Invalid, TooMany
from backend.core.security.authz import Actor
from backend.core.security.client_networks import WIDE_FACTOR, prefixes
from backend.settings import Settings

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS: Final = 0.2
COUNTED: Final = "doorstep.rate_limit_counted"
NAMES: Final = (
    "signup_rate_limit",
    "forgot_rate_limit",
    "request_rate_limit",
    "document_rate_limit",
    "photo_rate_limit",
    "profile_rate_limit",
    "times_rate_limit",
    "visit_rate_limit",
    "email_change_rate_limit",
    "email_taken_rate_limit",
    "message_rate_limit",
    "conversation_rate_limit",
)
# Visitors count by address.
PER_ACCOUNT: Final = frozenset(
    {"request_rate_limit", "document_rate_limit", "photo_rate_limit", "times_rate_limit", "message_rate_limit"}
)
TAKEN_EMAILS: Final = "email_taken_rate_limit"
TOO_MANY: Final = "Rate limit exceeded. Wait for the time given in Retry-After, then try again."
Outcome = TypeVar("Outcome")


class RateLimits:
    """The limits named in the settings, such as ``signup_rate_limit``."""

    def __init__(self, settings: Settings) -> None:
        self._items: dict[str, RateLimitItem] = {name: parse(getattr(settings, name)) for name in NAMES}
        self._wide_items = {
            name: type(item)(item.amount * WIDE_FACTOR, item.multiples) for name, item in self._items.items()
        }
        server = valkey.client(
            settings.limits_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        shared = RedisStorage(valkey.NOWHERE, connection_pool=server.connection_pool)  # the address is not used then
        self._shared: RateLimiter = FixedWindowRateLimiter(shared)
        self._local: RateLimiter = FixedWindowRateLimiter(MemoryStorage())

    def hit_address(self, name: str, address: str | None) -> None:
        """Count one request of an address. IPv6 counts by /64, and by /48 with a larger limit. Raises TooMany."""
        for item, key in self._counts_of(name, address):
            self._hit(item, name, key)

    def hit(self, name: str, key: str) -> None:
        """Count one request, and set its RateLimit headers. Raises TooMany until the window ends."""
        self._hit(self._items[name], name, key)

    def _hit(self, item: RateLimitItem, name: str, key: str) -> None:
        allowed, stats = self._on_storage(
            lambda limiter: (limiter.hit(item, name, key), _stats(limiter, item, name, key))
        )
        wait = _wait(stats)
        title = name.removesuffix("_rate_limit")
        if not allowed or item is self._items[name]:
            g.rate_limit_headers = {
                "RateLimit-Policy": f'"{title}";q={item.amount};w={item.get_expiry()}',
                "RateLimit": f'"{title}";r={stats.remaining};t={wait}',
            }
        if not allowed:
            raise TooMany(TOO_MANY, retry_after=wait)
        g.setdefault("rate_limit_hits", []).append((item, name, key))

    def give_back(self, item: RateLimitItem, name: str, key: str) -> None:
        """Take back one counted request."""
        self._on_storage(lambda limiter: limiter.hit(item, name, key, cost=-1))

    def hit_once(self, name: str, address: str | None, value: str) -> None:
        """Count a value for an address, at most once per window."""
        for item, key in self._counts_of(name, address):
            self._hit_once(item, name, key, digest(value.encode()))

    def require_left(self, name: str, address: str | None) -> None:
        """Raise TooMany if an address has exhausted the limit. Does not count the request."""
        for item, key in self._counts_of(name, address):
            self._require_left(item, name, key)

    def _counts_of(self, name: str, address: str | None) -> Iterator[tuple[RateLimitItem, str]]:
        where = prefixes(address)
        yield self._items[name], where.near
        if where.wide is not None:
            yield self._wide_items[name], where.wide

    def _hit_once(self, item: RateLimitItem, name: str, key: str, value: str) -> None:
        once = type(item)(1, item.multiples)

        def count(limiter: RateLimiter) -> None:
            if limiter.hit(once, name, key, value):
                limiter.hit(item, name, key)

        self._on_storage(count)

    def _require_left(self, item: RateLimitItem, name: str, key: str) -> None:
        is_left, stats = self._on_storage(
            lambda limiter: (limiter.test(item, name, key), _stats(limiter, item, name, key))
        )
        if not is_left:
            raise TooMany(TOO_MANY, retry_after=_wait(stats))

    def _on_storage(self, work: Callable[[RateLimiter], Outcome]) -> Outcome:
        try:
            return work(self._shared)
        except Exception as error:  # noqa: BLE001 - whatever the error, this process counts alone while Valkey is unavailable
            log.warning("rate_limits.storage_unavailable", error=repr(error))
            return work(self._local)


def _stats(limiter: RateLimiter, item: RateLimitItem, name: str, key: str) -> WindowStats:
    return limiter.get_window_stats(item, name, key)


def _wait(stats: WindowStats) -> int:
    return max(1, int(stats.reset_time - now().timestamp()) + 1)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["rate_limits"] = RateLimits(settings)
    app.after_request(_add_headers)


def check(name: str | None, actor: Actor | None, *, by_account: bool) -> None:
    """Count this request, if the limit applies by account or by address as asked. Raises TooMany."""
    if name is None or (name in PER_ACCOUNT) != by_account:
        return
    if not _is_first_run(name):
        return
    if by_account and actor:
        _limits().hit(name, str(actor.id))
    else:
        _limits().hit_address(name, request.remote_addr)


def count(name: str, key: str) -> None:
    """Count a limited action that a request turned out to perform. Raises TooMany until the window ends."""
    if _is_first_run(name):
        _limits().hit(name, key)


def give_back() -> None:
    """Take back what this request counted: it failed because another machine did not answer, and will be repeated."""
    g.pop("rate_limit_headers", None)
    for hit in g.pop("rate_limit_hits", []):
        _limits().give_back(*hit)


@contextmanager
def counting_taken_emails(email: str) -> Iterator[None]:
    """Count the emails that a sign-up finds taken. Raises TooMany before any lookup.

    Once the limit is reached, every sign-up from this address is rejected: accepting free emails would still reveal
    which ones are taken. The same email counts once, because trying it again reveals nothing more.
    """
    limits, address = _limits(), request.remote_addr
    limits.require_left(TAKEN_EMAILS, address)
    try:
        yield
    except Invalid as error:
        if error.errors and "email" in error.errors:
            limits.hit_once(TAKEN_EMAILS, address, text.key(email))
        raise


def _is_first_run(name: str) -> bool:
    """Return whether this request has not been counted yet: it runs again after a database conflict."""
    counted: set[str] = request.environ.setdefault(COUNTED, set())
    if name in counted:
        return False
    counted.add(name)
    return True


def _limits() -> RateLimits:
    limits: RateLimits = current_app.extensions["rate_limits"]
    return limits


def _add_headers(response: Response) -> Response:
    """Add the RateLimit headers (draft-ietf-httpapi-ratelimit-headers), to 429 responses too."""
    response.headers.update(g.pop("rate_limit_headers", {}))
    return response
