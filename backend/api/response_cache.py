"""Public answers out of the cache: as a handler's result, and again, byte for byte, before any work is done."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

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
from backend.core.db.pagination import Page
from backend.core.observability import metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What everyone may see may be kept by browsers and proxies for an instant, and shown once more while they ask again.
PUBLIC: Final = "public, max-age=1, stale-while-revalidate=5"
MARK: Final = "doorstep.answer"
NOT_MARKED: Final[tuple[str, CachedResponse | None]] = ("", None)
CACHE_BYTES: Final = 16 << 20
NOT_REPEATED: Final = {"x-request-id", "date", "connection", "set-cookie"}
NOT_FOR_304: Final = {"content-length", "content-type"}
NEXT_CURSOR: Final = re.compile(rb'"next_cursor":"([A-Za-z0-9_-]+)"}\Z')


def public(name: str, make: Callable[[], Rendered]) -> Response:
    """A public answer that is good until the catalogue changes; 304 when the caller has it already."""
    asked = b"&".join(sorted(request.query_string.split(b"&")))
    answer = cache.response_cache().get(name, f"{request.path}?{asked.decode('latin-1')}", make, versioned=CATALOGUE)
    response = Response(answer.body, mimetype=JSON)
    response.set_etag(answer.etag)
    is_public = "Authorization" not in request.headers
    response.headers["Cache-Control"] = PUBLIC if is_public else PRIVATE
    if found := NEXT_CURSOR.search(answer.body, max(0, len(answer.body) - 2100)):
        response.headers.update(next_link(Page([], found.group(1).decode())))
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(answer.etag):
        response.status_code = 304
        response.data = b""
    elif is_public:
        request.environ[MARK] = (name, answer)
    return response


def validate_response(schema: Schema, body: bytes) -> bytes:
    """The body; while testing, each row of it (or all of it, when it is no list) is held against what was declared."""
    if current_app.testing:
        whole = orjson.loads(body)
        rows = whole["items"] if set(whole) == {"items", "next_cursor"} else [whole]
        problems = [problem for row in rows for problem in differences(schema, row)]
        if problems:
            raise AssertionError(f"{request.path} does not match its declared schema: {problems}")
    return body


@dataclass(frozen=True, slots=True)
class CacheableResponse:
    """An answer of 200 as it went out, to be given again while it is fresh and of the present version."""

    answer: CachedResponse
    headers: list[tuple[str, str]]
    count: Callable[[int, float], None]


def init_app(app: Flask) -> None:
    """Put the repeating of answers before everything else."""
    answers: cache.ResponseCache = app.extensions["answers"]
    app.wsgi_app = ResponseCacheMiddleware(app.wsgi_app, answers)  # type: ignore[method-assign]  # Flask's own documented way to wrap it


class ResponseCacheMiddleware:
    """Answers what it has seen the application answer, if nothing changed since; everything else goes on to Flask."""

    def __init__(self, wsgi_app: "WSGIApplication", answers: cache.ResponseCache) -> None:
        self._next = wsgi_app
        self._answers = answers
        self._shelf: TtlCache[CacheableResponse] = TtlCache(
            most_bytes=CACHE_BYTES, size=lambda kept: len(kept.answer.body) + 2000
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return self._next(environ, start_response)
        began = perf_counter()
        # Not by "?": an encoded one may stand in the path; no line break comes through in a query.
        url = f"{environ.get('PATH_INFO', '')}\n{environ.get('QUERY_STRING', '')}"
        kept = self._shelf.get(url)
        if kept is None:
            return self._next(environ, self._noting(url, environ, start_response))
        if not kept.answer.is_fresh or not self._is_present(kept.answer.version):
            return self._next(environ, self._noting(url, environ, start_response))
        return self._repeat(kept, environ, start_response, began)

    def _is_present(self, version: str) -> bool:
        """While PostgreSQL does not answer, what was good a moment ago is better than nothing, until it is old."""
        present = self._answers.version(CATALOGUE)
        return present is None or present == version

    def _repeat(
        self, kept: CacheableResponse, environ: "WSGIEnvironment", start_response: "StartResponse", began: float
    ) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if given and REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        headers = [*kept.headers, ("X-Request-Id", request_id)]
        known = _is_known(environ.get("HTTP_IF_NONE_MATCH"), kept.answer.etag)
        kept.count(304 if known else 200, perf_counter() - began)
        if known:
            start_response("304 NOT MODIFIED", [line for line in headers if line[0].lower() not in NOT_FOR_304])
            return [b""]
        start_response("200 OK", headers)
        return [kept.answer.body]

    def _noting(self, url: str, environ: "WSGIEnvironment", start_response: "StartResponse") -> "StartResponse":
        def note(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            name, answer = environ.get(MARK, NOT_MARKED)
            if answer is not None and answer.version and status.startswith("200") and _is_plain(headers):
                repeated = [line for line in headers if line[0].lower() not in NOT_REPEATED]
                self._shelf.put(url, CacheableResponse(answer, repeated, _counter(name, environ)))
            return start_response(status, headers, exc_info)

        return note


def _counter(name: str, environ: "WSGIEnvironment") -> Callable[[int, float], None]:
    rule: str = environ["werkzeug.request"].url_rule.rule
    return metrics.repeated(name=name, route=rule)


def _is_known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    return if_none_match == f'"{etag}"' or parse_etags(if_none_match).contains_weak(etag)


def _is_plain(headers: list[tuple[str, str]]) -> bool:
    return not any(name.lower() in ("content-encoding", "set-cookie") for name, _ in headers)
