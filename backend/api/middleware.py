"""Middleware for every request: trusted proxies, allowed hosts, request ids, security headers, metrics."""

import ipaddress
import os
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.api.access_log import ROUTE
from backend.api.body_limits import BodyLimitMiddleware
from backend.core.errors import DomainError, Malformed
from backend.core.observability import metrics, trace_context
from backend.core.security.headers import SECURITY_HEADERS, STRICT_TRANSPORT
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
VARY: Final = ("Authorization", "Accept", "Accept-Encoding")
HOST_ERROR: Final = "doorstep.host_error"  # WSGI environment key of the error for a rejected Host header
HOST: Final = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
# Load balancers, orchestrators and Prometheus call these by IP address; METRICS_FROM says who may read metrics.
BY_ADDRESS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
ANY_INTERFACE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
MAX_KNOWN_HOSTS: Final = 1000


class Misdirected(DomainError):
    """The request names a host that this server does not serve (RFC 9110, 15.5.20)."""

    status, code, title = 421, "misdirected", "Misdirected request"


def init_app(app: Flask, settings: Settings) -> None:
    body_limits = BodyLimitMiddleware(app.wsgi_app, threads=settings.web_threads)
    app.wsgi_app = body_limits  # type: ignore[method-assign]  # Flask's own documented way to wrap it
    app.extensions["health"].add("bodies", body_limits.slots.check)
    app.extensions["uncached"] = app.wsgi_app
    app.before_request(_begin)
    app.before_request(check_host)
    app.after_request(_finish)
    if settings.over_tls:
        app.after_request(_strict_transport)


def guard(app: Flask, settings: Settings) -> None:
    """Wrap the application, with its response cache, in the host allow-list and the trusted-proxy rules."""
    guarded = HostAllowList(app.wsgi_app, refusing=app.extensions["uncached"], settings=settings)
    app.wsgi_app = guarded  # type: ignore[method-assign]  # Flask's own documented way to wrap it
    if settings.trusted_proxies:
        proxies = _TrustedProxies(app.wsgi_app, settings.trusted_proxies)
        app.wsgi_app = proxies  # type: ignore[method-assign]  # Flask's own documented way to wrap it


def _begin() -> None:
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id(request.headers.get("X-Request-Id", "")))
    trace_context.begin(request.headers.get(trace_context.HEADER))


def request_id(given: str) -> str:
    """Return the request id that the client gave, or a new one if it is missing or invalid."""
    return given if REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _finish(response: Response) -> Response:
    headers = response.headers
    set_already = {name.lower() for name, _ in headers}
    headers["X-Request-Id"] = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    for name, value in SECURITY_HEADERS.items():
        if name.lower() not in set_already:
            headers.add(name, value)
    if "vary" in set_already:
        response.vary.update(VARY)
    else:
        headers.add("Vary", ", ".join(VARY))
    route = request.environ[ROUTE] = request.url_rule.rule if request.url_rule else "none"
    metrics.request_done(
        method=request.method if request.method in METHODS else "other",
        route=route,
        status=response.status_code,
        seconds=time.perf_counter() - g.get("started", time.perf_counter()),
    )
    return response


def _strict_transport(response: Response) -> Response:
    response.headers.setdefault(*STRICT_TRANSPORT)
    return response


class _TrustedProxies:
    """Applies X-Forwarded-* only from configured proxies, because other clients could forge any address."""

    def __init__(self, wsgi_app: "WSGIApplication", proxies: tuple[str, ...]) -> None:
        self._plain = wsgi_app
        self._fixed = ProxyFix(wsgi_app, x_for=1, x_proto=1, x_host=1)
        self._networks = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        application = self._fixed if self._is_trusted(str(environ.get("REMOTE_ADDR", ""))) else self._plain
        return application(environ, start_response)

    def _is_trusted(self, sender: str) -> bool:
        address = _address(sender)
        return address is not None and any(address in network for network in self._networks)


class HostAllowList:
    """Passes on requests for allowed hosts, and marks others for ``check_host`` to reject.

    The response cache inside ignores the host, so requests for other hosts bypass it and go to ``refusing``.
    """

    def __init__(self, wsgi_app: "WSGIApplication", *, refusing: "WSGIApplication", settings: Settings) -> None:
        self._next = wsgi_app
        self._refusing = refusing
        self._allowed = frozenset(_allowed(settings))
        self._known: dict[str, bool] = {}  # holds allowed hosts only, so that other clients cannot fill it

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = environ.get("HTTP_HOST")
        if host in self._known:
            return self._next(environ, start_response)
        error = self._refusal(host, environ)
        if error is None:
            return self._next(environ, start_response)
        environ[HOST_ERROR] = error
        environ["HTTP_HOST"] = "localhost"  # no URL in the response may contain the client's value
        return self._refusing(environ, start_response)

    def _refusal(self, host: str | None, environ: "WSGIEnvironment") -> DomainError | None:
        if host is None:
            is_optional = environ.get("SERVER_PROTOCOL") in ("HTTP/1.0", "HTTP/0.9")
            return None if is_optional else Malformed("The Host header is missing. HTTP/1.1 requires it.")
        match = HOST.fullmatch(host)
        if match is None:
            return Malformed("The Host header is invalid. Send a host name with an optional port.")
        name = match["name"].lower().strip("[]").removesuffix(".")
        if self._is_allowed(name):
            if len(self._known) < MAX_KNOWN_HOSTS:
                self._known[host] = True
            return None
        if environ.get("PATH_INFO") in BY_ADDRESS and _address(name) is not None:
            return None
        return Misdirected(
            "This server is not configured for that host name. Check the address, or add the name to ALLOWED_HOSTS."
        )

    def _is_allowed(self, name: str) -> bool:
        address = _address(name)
        if address is not None and address.is_loopback:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        return name in self._allowed or any(
            allowed.startswith(".") and name.endswith(allowed) for allowed in self._allowed
        )


def check_host() -> None:
    """Raise the error that the host allow-list found in the current request, if any."""
    error: DomainError | None = request.environ.get(HOST_ERROR)
    if error is not None:
        raise error


def _allowed(settings: Settings) -> Iterable[str]:
    yield (urlsplit(settings.public_url).hostname or "").lower()
    if settings.host not in ANY_INTERFACE:
        yield settings.host.lower()
    yield from settings.allowed_hosts


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
