"""Cached public responses: built by handlers, and repeated by a WSGI middleware before Flask runs."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request
from werkzeug.http import parse_etags

from backend.api.access_log import ROUTE
from backend.api.middleware import request_id
from backend.api.responses import JSON, PRIVATE, next_link, tag_response
from backend.core import cache
from backend.core.cache import CATALOGUE, CachedResponse, Rendered
from backend.core.lru_cache import LruCache
from backend.core.observability import metrics

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Public data may be shown for a second without revalidation, and for five more while the client revalidates it.
PUBLIC: Final = "public, max-age=1, stale-while-revalidate=5"
CACHED: Final = "doorstep.cached_response"  # WSGI environment key of the cached response that a handler returned
CACHE_BYTES: Final = 16 << 20
HEADERS_BYTES: Final = 2000  # approximate size of the headers of one response
NOT_REPEATED: Final = {"x-request-id", "date", "connection", "ratelimit", "ratelimit-policy"}
FOR_ONE_CLIENT: Final = {"content-encoding", "set-cookie"}  # a response with one of these is not repeated
NOT_FOR_304: Final = {"content-length", "content-type"}
NEXT_CURSOR: Final = re.compile(rb'"next_cursor":"([A-Za-z0-9_.-]+)"}\Z')
CURSOR_TAIL_BYTES: Final = 2100  # a cursor has 2,000 characters at most


def public(name: str, make: Callable[[], Rendered]) -> Response:
    """Return a public response, cached until the catalogue changes; 304 if the client already has it."""
    query = b"&".join(sorted(request.query_string.split(b"&"))).decode("latin-1")
    cached = cache.response_cache().get(name, f"{request.path}?{query}", make, versioned=CATALOGUE)
    response = Response(cached.body, mimetype=JSON)
    is_public = "Authorization" not in request.headers
    response.headers["Cache-Control"] = PUBLIC if is_public else PRIVATE
    if match := NEXT_CURSOR.search(cached.body, max(0, len(cached.body) - CURSOR_TAIL_BYTES)):
        response.headers.update(next_link(match.group(1).decode()))
    if is_public and cached.version:
        request.environ[CACHED] = (name, cached)
    tag_response(response, cached.etag)
    return response


@dataclass(frozen=True, slots=True)
class CacheableResponse:
    """A 200 response as it was sent, to be repeated while it is fresh and its version is current."""

    cached: CachedResponse
    headers: list[tuple[str, str]]
    count: Callable[[int, float], None]
    route: str


def init_app(app: Flask) -> None:
    """Wrap the application in the response cache."""
    response_cache: cache.ResponseCache = app.extensions["response_cache"]
    app.wsgi_app = ResponseCacheMiddleware(app.wsgi_app, response_cache)  # type: ignore[method-assign]  # Flask's own documented way to wrap it


class ResponseCacheMiddleware:
    """Repeats public responses while their version is current, and passes other requests on to Flask."""

    def __init__(self, wsgi_app: "WSGIApplication", response_cache: cache.ResponseCache) -> None:
        self._next = wsgi_app
        self._version = response_cache.version
        self._sent: LruCache[CacheableResponse] = LruCache(
            most_bytes=CACHE_BYTES, size=lambda sent: len(sent.cached.body) + HEADERS_BYTES
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return self._next(environ, start_response)
        started = perf_counter()
        # Joined by a line break, not "?": the path may contain an encoded "?", but a query cannot contain a line break.
        url = f"{environ.get('PATH_INFO', '')}\n{environ.get('QUERY_STRING', '')}"
        sent = self._sent.get(url)
        # A version of None: PostgreSQL is unavailable and cannot say whether the catalogue has changed.
        if sent and sent.cached.is_fresh and self._version(CATALOGUE) in (None, sent.cached.version):
            return _repeat(sent, environ, start_response, started)

        def record(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            if CACHED in environ and status.startswith("200") and _without(FOR_ONE_CLIENT, headers) == headers:
                name, cached = environ[CACHED]
                route = environ["werkzeug.request"].url_rule.rule
                count = metrics.repeated(name=name, route=route)
                self._sent.put(url, CacheableResponse(cached, _without(NOT_REPEATED, headers), count, route))
            return start_response(status, headers, exc_info)

        return self._next(environ, record)


def _repeat(
    sent: CacheableResponse, environ: "WSGIEnvironment", start_response: "StartResponse", started: float
) -> Iterable[bytes]:
    headers = [*sent.headers, ("X-Request-Id", request_id(environ.get("HTTP_X_REQUEST_ID", "")))]
    environ[ROUTE] = sent.route
    known, etag = environ.get("HTTP_IF_NONE_MATCH"), sent.cached.etag
    is_known = known is not None and (known == f'"{etag}"' or parse_etags(known).contains_weak(etag))
    sent.count(304 if is_known else 200, perf_counter() - started)
    if is_known:
        start_response("304 NOT MODIFIED", _without(NOT_FOR_304, headers))
        return [b""]
    start_response("200 OK", headers)
    return [sent.cached.body]


def _without(names: set[str], headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [line for line in headers if line[0].lower() not in names]
