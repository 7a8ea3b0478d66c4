"""What happens around every call: trusted proxies, allowed hosts, request ids, security headers."""

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

from backend.api.body_limits import Bodies
from backend.core.errors import DomainError, Malformed
from backend.core.observability import metrics
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
VARY: Final = ("Authorization", "Accept", "Accept-Encoding")
SECURITY_HEADERS: Final = {
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
    app.before_request(check)
    app.after_request(_finish)
    if settings.over_tls:
        app.after_request(_strict_transport)


def guard(app: Flask, settings: Settings) -> None:
    """Put before everything, the response cache included, whose word counts for the caller and which hosts are ours."""
    guarded = HostAllowList(app.wsgi_app, refusing=app.extensions["uncached"], settings=settings)
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
    for name, value in SECURITY_HEADERS.items():
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


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFUSED: Final = "doorstep.host_refused"
HOST: Final = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
PROBES: Final = frozenset({"/healthz", "/readyz"})  # load balancers and orchestrators ask by address
ANY_INTERFACE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


class Misdirected(DomainError):
    """The call names a host that is not ours (RFC 9110, 15.5.20)."""

    status, code, title = 421, "misdirected", "Misdirected request"


class HostAllowList:
    """Passes on calls for our own host names; marks the others, which ``check`` then refuses.

    It stands before the response cache, which does not look at the host: refused calls go round it.
    """

    def __init__(self, wsgi_app: "WSGIApplication", *, refusing: "WSGIApplication", settings: Settings) -> None:
        self._next = wsgi_app
        self._refusing = refusing
        self._allowed = frozenset(_allowed(settings))
        self._known: dict[str, bool] = {}  # of hosts that were allowed only, so that it cannot be filled

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = environ.get("HTTP_HOST")
        if host in self._known:
            return self._next(environ, start_response)
        error = self._refusal(host, environ)
        if error is None:
            return self._next(environ, start_response)
        environ[REFUSED] = error
        environ["HTTP_HOST"] = "localhost"  # nothing that is built further on may repeat the caller's
        return self._refusing(environ, start_response)

    def _refusal(self, host: str | None, environ: "WSGIEnvironment") -> DomainError | None:
        if host is None:
            is_old = environ.get("SERVER_PROTOCOL") in ("HTTP/1.0", "HTTP/0.9")
            return None if is_old else Malformed("The Host header is missing. HTTP/1.1 requires it.")
        found = HOST.fullmatch(host)
        if found is None:
            return Malformed("The Host header is invalid. Send a host name with an optional port.")
        name = found["name"].lower().strip("[]").removesuffix(".")
        if self._is_ours(name):
            if len(self._known) < 1000:
                self._known[host] = True
            return None
        if environ.get("PATH_INFO") in PROBES and _address(name) is not None:
            return None
        return Misdirected(
            "This server is not configured for that host name. Check the address, or add the name to ALLOWED_HOSTS."
        )

    def _is_ours(self, name: str) -> bool:
        address = _address(name)
        if address is not None and address.is_loopback:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        return name in self._allowed or any(
            allowed.startswith(".") and name.endswith(allowed) for allowed in self._allowed
        )


def check() -> None:
    """Raise what was found wrong with the present call's host, if anything."""
    error: DomainError | None = request.environ.get(REFUSED)
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
