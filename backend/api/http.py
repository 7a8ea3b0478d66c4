"""What every call goes through: request id, safety headers, a count; and proxies that may speak for callers."""

import ipaddress
import os
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.api import hosts
from backend.api.bodies import Bodies
from backend.core import metrics
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
VARY: Final = ("Authorization", "Accept", "Accept-Encoding")
SAFETY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), interest-cohort=()",
}


def init_app(app: Flask, settings: Settings) -> None:
    bodies = Bodies(app.wsgi_app, threads=settings.web_threads)
    app.wsgi_app = bodies  # type: ignore[method-assign]  # Flask's own documented way to wrap it
    app.extensions["health"].add("bodies", bodies.places.check)
    app.extensions["uncached"] = app.wsgi_app
    app.before_request(_begin)
    app.before_request(hosts.check)
    app.after_request(_finish)
    if settings.over_tls:
        app.after_request(_strict_transport)


def guard(app: Flask, settings: Settings) -> None:
    """Put before everything, the response cache included, whose word counts for the caller and which hosts are ours."""
    guarded = hosts.Hosts(app.wsgi_app, refusing=app.extensions["uncached"], settings=settings)
    app.wsgi_app = guarded  # type: ignore[method-assign]  # Flask's own documented way to wrap it
    if settings.trusted_proxies:
        proxies = _TrustedProxies(app.wsgi_app, settings.trusted_proxies)
        app.wsgi_app = proxies  # type: ignore[method-assign]  # Flask's own documented way to wrap it


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    request_id = given if REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _finish(response: Response) -> Response:
    headers = response.headers
    set_already = {name.lower() for name, _ in headers}
    headers["X-Request-Id"] = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    for name, value in SAFETY.items():
        if name.lower() not in set_already:
            headers.add(name, value)
    if "vary" in set_already:
        response.vary.update(VARY)
    else:
        headers.add("Vary", ", ".join(VARY))
    metrics.request_done(
        method=request.method if request.method in METHODS else "other",
        route=request.url_rule.rule if request.url_rule else "none",
        status=response.status_code,
        seconds=time.perf_counter() - g.get("began", time.perf_counter()),
    )
    return response


def _strict_transport(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


class _TrustedProxies:
    """X-Forwarded-* counts only when it comes from a configured proxy: anyone else could claim any address."""

    def __init__(self, wsgi_app: "WSGIApplication", proxies: tuple[str, ...]) -> None:
        self._plain = wsgi_app
        self._fixed = ProxyFix(wsgi_app, x_for=1, x_proto=1, x_host=1)
        self._networks = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        chosen = self._fixed if self._speaks_for_others(str(environ.get("REMOTE_ADDR", ""))) else self._plain
        return chosen(environ, start_response)

    def _speaks_for_others(self, sender: str) -> bool:
        try:
            address = ipaddress.ip_address(sender)
        except ValueError:
            return False
        return any(address in network for network in self._networks)
