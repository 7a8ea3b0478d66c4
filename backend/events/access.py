"""Asks a web server whom a token belongs to: it applies the rules of every other call."""

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import orjson

from backend.core.events.protocol import ACCESS_PATH
from backend.core.observability import trace_context
from backend.events.streams import Access

CHECKS_AT_ONCE: Final = 8
CHECK_SECONDS: Final = 5.0
PASSED_ON: Final = frozenset({"content-type", "www-authenticate", "retry-after", "cache-control"})


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """The web server's own answer to a call that it refused."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class WebUnavailable(Exception):
    """No web server could be asked."""


class AccessCheck:
    """Checks tokens in threads, a few at a time: they are checked once for each stream, not for each event."""

    def __init__(self, web_url: str) -> None:
        self._url = urlsplit(web_url)
        self._threads = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="access")

    async def of(self, authorization: str | None, *, client: str, trace: str | None = None) -> Access:
        """Return whom a stream would belong to. ``trace``: its traceparent. Raises Refusal or WebUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, authorization, client, trace)

    def _ask(self, authorization: str | None, client: str, trace: str | None) -> Access:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=CHECK_SECONDS)
        known = {"Authorization": authorization, trace_context.HEADER: trace_context.parse(trace)}
        headers = {"X-Forwarded-For": client, **{name: value for name, value in known.items() if value}}
        try:
            connection.request("GET", ACCESS_PATH, headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise WebUnavailable from error
        finally:
            connection.close()
        if response.status != 200:
            passed_on = {name.lower(): value for name, value in response.getheaders() if name.lower() in PASSED_ON}
            raise Refusal(response.status, body, passed_on)
        return _access(body)


def _access(body: bytes) -> Access:
    try:
        found = orjson.loads(body)
        return Access(int(found["account_id"]), found["role"], found["session_id"], int(found["expires_at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise WebUnavailable from error
