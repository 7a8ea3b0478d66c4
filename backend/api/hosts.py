"""Which host names the product answers to: any other name may belong to someone who rebinds DNS or poisons a cache."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import request

from backend.core.errors import DomainError, Malformed
from backend.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFUSED: Final = "doorstep.host_refused"
HOST: Final = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
PROBES: Final = frozenset({"/healthz", "/readyz"})  # load balancers and orchestrators ask by address
ANY_INTERFACE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


class Misdirected(DomainError):
    """The call names a host that is not ours (RFC 9110, 15.5.20)."""

    status, code, title = 421, "misdirected", "Misdirected request"


class Hosts:
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
            return None if is_old else Malformed("Send a Host header: HTTP/1.1 requires it.")
        found = HOST.fullmatch(host)
        if found is None:
            return Malformed("The Host header is not a host name with an optional port.")
        name = found["name"].lower().strip("[]").removesuffix(".")
        if self._is_ours(name):
            if len(self._known) < 1000:
                self._known[host] = True
            return None
        if environ.get("PATH_INFO") in PROBES and _address(name) is not None:
            return None
        return Misdirected("This server does not answer to that host name. Use the address that you were given.")

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
