"""Cached public responses: built by handlers, and repeated by a WSGI middleware before Flask runs."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

import orjson
from flask import Flask, Response, current_app, request
from marshmallow import Schema
from werkzeug.http import parse_etags

from backend.api.endpoint import differences
from backend.api.middleware import REQUEST_ID
from backend.api.responses import JSON, PRIVATE, next_link
from backend.core import cache
from backend.core.cache import CATALOGUE, CachedResponse, Rendered
from backend.core.cache.ttl_cache import TtlCache
from backend.core.observability import metrics

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Public data may be shown for a second without revalidation, and for five more while the client revalidates it.
PUBLIC: Final = "public, max-age=1, stale-while-revalidate=5"
CACHED: Final = "doorstep.cached_response"  # WSGI environment key of the cached response that a handler returned
NOT_CACHED: Final[tuple[str, CachedResponse | None]] = ("", None)
CACHE_BYTES: Final = 16 << 20
HEADERS_BYTES: Final = 2000  # approximate size of the headers of one response
NOT_REPEATED: Final = {"x-request-id", "date", "connection", "set-cookie"}
NOT_FOR_304: Final = {"content-length", "content-type"}
NEXT_CURSOR: Final = re.compile(rb'"next_cursor":"([A-Za-z0-9_.-]+)"}\Z')
CURSOR_TAIL_BYTES: Final = 2100  # a cursor has 2,000 characters at most


def public(name: str, make: Callable[[], Rendered]) -> Response:
    """Return a public response, cached until the catalogue changes; 304 if the client already has it."""
    query = b"&".join(sorted(request.query_string.split(b"&"))).decode("latin-1")
    cached = cache.response_cache().get(name, f"{request.path}?{query}", make, versioned=CATALOGUE)
    response = Response(cached.body, mimetype=JSON)
    response.set_etag(cached.etag)
    is_public = "Authorization" not in request.headers
    response.headers["Cache-Control"] = PUBLIC if is_public else PRIVATE
    if match := NEXT_CURSOR.search(cached.body, max(0, len(cached.body) - CURSOR_TAIL_BYTES)):
        response.headers.update(next_link(match.group(1).decode()))
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(cached.etag):
        response.status_code = 304
        response.data = b""
    elif is_public:
        request.environ[CACHED] = (name, cached)
    return response


def validate_response(schema: Schema, body: bytes) -> bytes:
    """Return the body; in tests, check it, or each item of a list, against the schema first."""
    if current_app.testing:
        document = orjson.loads(body)
        rows = document["items"] if set(document) == {"items", "next_cursor"} else [document]
        problems = [problem for row in rows for problem in differences(schema, row)]
        if problems:
            raise AssertionError(f"{request.path} does not match its declared schema: {problems}")
    return body


@dataclass(frozen=True, slots=True)
class CacheableResponse:
    """A 200 response as it was sent, to be repeated while it is fresh and its version is current."""

    cached: CachedResponse
    headers: list[tuple[str, str]]
    count: Callable[[int, float], None]


def init_app(app: Flask) -> None:
    """Wrap the application in the response cache."""
    response_cache: cache.ResponseCache = app.extensions["response_cache"]
    app.wsgi_app = ResponseCacheMiddleware(app.wsgi_app, response_cache)  # type: ignore[method-assign]  # Flask's own documented way to wrap it


class ResponseCacheMiddleware:
    """Repeats public responses while their version is current, and passes other requests on to Flask."""

    def __init__(self, wsgi_app: "WSGIApplication", response_cache: cache.ResponseCache) -> None:
        self._next = wsgi_app
        self._response_cache = response_cache
        self._sent: TtlCache[CacheableResponse] = TtlCache(
            most_bytes=CACHE_BYTES, size=lambda sent: len(sent.cached.body) + HEADERS_BYTES
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return self._next(environ, start_response)
        started = perf_counter()
        # Joined by a line break, not "?": the path may contain an encoded "?", but a query cannot contain a line break.
        url = f"{environ.get('PATH_INFO', '')}\n{environ.get('QUERY_STRING', '')}"
        sent = self._sent.get(url)
        if sent is None or not sent.cached.is_fresh or not self._is_current(sent.cached.version):
            return self._next(environ, self._recording(url, environ, start_response))
        return self._repeat(sent, environ, start_response, started)

    def _is_current(self, version: str) -> bool:
        """Return whether the catalogue still has this version, or PostgreSQL is unavailable and cannot say."""
        current = self._response_cache.version(CATALOGUE)
        return current is None or current == version

    def _repeat(
        self, sent: CacheableResponse, environ: "WSGIEnvironment", start_response: "StartResponse", started: float
    ) -> Iterable[bytes]:
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = os.urandom(16).hex()
        headers = [*sent.headers, ("X-Request-Id", request_id)]
        is_known = _is_known(environ.get("HTTP_IF_NONE_MATCH"), sent.cached.etag)
        sent.count(304 if is_known else 200, perf_counter() - started)
        if is_known:
            start_response("304 NOT MODIFIED", [line for line in headers if line[0].lower() not in NOT_FOR_304])
            return [b""]
        start_response("200 OK", headers)
        return [sent.cached.body]

    def _recording(self, url: str, environ: "WSGIEnvironment", start_response: "StartResponse") -> "StartResponse":
        """Return a start_response that also records a response that can be repeated."""

        def record(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            name, cached = environ.get(CACHED, NOT_CACHED)
            if cached is not None and cached.version and status.startswith("200") and _is_plain(headers):
                repeated = [line for line in headers if line[0].lower() not in NOT_REPEATED]
                self._sent.put(url, CacheableResponse(cached, repeated, _counter(name, environ)))
            return start_response(status, headers, exc_info)

        return record


def _counter(name: str, environ: "WSGIEnvironment") -> Callable[[int, float], None]:
    rule: str = environ["werkzeug.request"].url_rule.rule
    return metrics.repeated(name=name, route=rule)


def _is_known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    return if_none_match == f'"{etag}"' or parse_etags(if_none_match).contains_weak(etag)


def _is_plain(headers: list[tuple[str, str]]) -> bool:
    return not any(name.lower() in ("content-encoding", "set-cookie") for name, _ in headers)
