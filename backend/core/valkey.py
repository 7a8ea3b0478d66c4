"""Clients of Valkey, by the address of one server or of the Sentinels that know which server leads.

`sentinel://:password@host:port,host:port/service/0?sentinel_password=...` names the Sentinels, the service that they
watch and the number of its database. Each new connection asks a Sentinel for the leader. A connection to a server that
leads no more ends with its first write, and what it was used for is tried again as after any other outage.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis import asyncio as redis_asyncio
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.sentinel import Sentinel

from backend.settings_values import SENTINEL

SENTINEL_PORT: Final = 26379
NOWHERE: Final = "redis://127.0.0.1:1/0"  # nothing listens here; for commands without a server
SENTINEL_SECONDS: Final = 1  # to wait for a Sentinel where the caller sets no limit, as for a subscription


class SentinelAddress:
    """The parts of a `sentinel://` address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        self.hosts = [_host(one) for one in hosts.split(",")]
        self.service, _, database = parts.path.strip("/").partition("/")
        self.database = int(database or 0)
        named = parse_qs(parts.query)
        self.account = _account(unquote(user), unquote(password))
        self.sentinel_account = _account(
            named.get("sentinel_username", [""])[0], named.get("sentinel_password", [""])[0]
        )


def is_sentinel(url: str) -> bool:
    """Return whether the address names Sentinels."""
    return url.startswith(f"{SENTINEL}://")


def database(url: str) -> int:
    """Return the number of the database."""
    return SentinelAddress(url).database if is_sentinel(url) else int(urlsplit(url).path.strip("/") or 0)


def client(url: str, **options: object) -> redis.Redis:
    """Return a client of the server at an address, or of the one that leads. Connects with the first command."""
    if not is_sentinel(url):
        return redis.Redis.from_url(url or NOWHERE, **options)
    address = SentinelAddress(url)
    asked = _sentinel_options(address, options)
    sentinel = Sentinel(address.hosts, sentinel_kwargs=asked, **options)  # type: ignore[no-untyped-call]  # redis says no more
    options = {**address.account, "db": address.database}
    leader: redis.Redis = sentinel.master_for(address.service, **options)  # type: ignore[no-untyped-call]  # as above
    return leader


def async_client(url: str, **options: object) -> "redis_asyncio.Redis":
    """Return the same for asyncio."""
    if not is_sentinel(url):
        return redis_asyncio.Redis.from_url(url or NOWHERE, **options)  # type: ignore[arg-type]  # any of a connection
    address = SentinelAddress(url)
    asked = _sentinel_options(address, options)
    sentinel = AsyncSentinel(address.hosts, sentinel_kwargs=asked, **options)  # type: ignore[no-untyped-call]  # as above
    options = {**address.account, "db": address.database}
    leader: redis_asyncio.Redis = sentinel.master_for(address.service, **options)  # type: ignore[arg-type]  # as above
    return leader


def _sentinel_options(address: SentinelAddress, options: Mapping[str, object]) -> dict[str, object]:
    names = ("socket_timeout", "socket_connect_timeout")
    limits = {name: options.get(name) or SENTINEL_SECONDS for name in names}
    return {**limits, "retry": None, **address.sentinel_account}  # the next Sentinel is asked instead


def _host(one: str) -> tuple[str, int]:
    parts = urlsplit(f"//{one}")
    return parts.hostname or "", parts.port or SENTINEL_PORT


def _account(username: str, password: str) -> dict[str, str]:
    named = {"username": username, "password": password}
    return {name: value for name, value in named.items() if value}
