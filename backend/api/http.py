"""What every answer carries: request id, safety headers; and proxies that may speak for callers."""

import re
import uuid
from typing import Final

import structlog
from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.settings import Settings

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
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
    if settings.trusted_proxies:
        app.wsgi_app = _TrustedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_finish)
    if settings.public_url.startswith("https://"):
        app.after_request(_strict_transport)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    for name, value in SAFETY.items():
        response.headers.setdefault(name, value)
    response.vary.update(("Authorization", "Accept", "Accept-Encoding"))
    return response


def _strict_transport(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


class _TrustedProxies:
    """X-Forwarded-* counts only when it comes from a configured proxy: anyone else could claim any address."""

    def __init__(self, wsgi_app: object, proxies: tuple[str, ...]) -> None:
        import ipaddress

        self._plain = wsgi_app
        self._fixed = ProxyFix(wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[arg-type]
        self._networks = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        import ipaddress

        try:
            address = ipaddress.ip_address(str(environ.get("REMOTE_ADDR", "")))
        except ValueError:
            return self._plain(environ, start_response)  # type: ignore[operator]
        trusted = any(address in network for network in self._networks)
        chosen = self._fixed if trusted else self._plain
        return chosen(environ, start_response)  # type: ignore[operator,arg-type]
