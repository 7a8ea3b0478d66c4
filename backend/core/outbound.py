"""HTTP calls to other hosts: allowed hosts only, addresses checked at the connection, no redirects, short limits."""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_ANSWER_BYTES: Final = 64 * 1024
PORTS: Final = {"https": 443, "http": 80}


class NotAllowed(Exception):
    """The address is not one that we call."""


class Unreachable(Exception):
    """Nobody answered, or the connection broke."""


class TimedOut(Unreachable):
    """Nobody answered in time: whoever calls next waits as long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    content_type: str
    retry_after: int | None


def check(url: str, *, allowed: Sequence[str]) -> SplitResult:
    """The parts of an address that may be called. Raises NotAllowed, saying why.

    The host, with its port unless that is the usual one, must be listed; http is for listed loopback addresses only.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise NotAllowed("It is not an address.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in PORTS or not host or any(char.isspace() or ord(char) < 32 for char in url):
        raise NotAllowed("It must begin with https:// and name a host.")
    if not url.isascii():
        raise NotAllowed("It must be written in plain ASCII, all else percent-encoded.")
    if parts.username or parts.password or parts.fragment:
        raise NotAllowed("It must hold no name, password or fragment.")
    bracketed = f"[{host}]" if ":" in host else host
    names = {f"{bracketed}:{port}"} | ({bracketed} if port == PORTS[parts.scheme] or is_loopback(host) else set())
    if not names & set(allowed):
        raise NotAllowed(f"Its host is not among those allowed: {', '.join(allowed)}.")
    if parts.scheme == "http" and not is_loopback(host):
        raise NotAllowed("It must begin with https://.")
    return parts


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def post_json(url: str, body: bytes, *, allowed: Sequence[str], timeout: float) -> Answer:
    """POST JSON and read the answer, all within the time. Raises NotAllowed or Unreachable."""
    parts = check(url, allowed=allowed)
    deadline = time.monotonic() + timeout
    connection = _connect(parts, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json", "Connection": "close"}
    try:
        connection.request("POST", target, body=body, headers={**headers, "User-Agent": "Doorstep"})
        answer = connection.getresponse()
        content = _read(answer, connection, deadline)
        pause = _seconds(answer.getheader("Retry-After"))
        return Answer(answer.status, content, answer.headers.get_content_type(), pause)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(error) from error
    finally:
        connection.close()


def _connect(parts: SplitResult, *, timeout: float) -> http.client.HTTPConnection:
    """A connection to an address that was checked itself: a name that moves is no way round."""
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    address = _address(host, port)
    try:
        raw = socket.create_connection((address, port), timeout=timeout)
        if parts.scheme == "https":
            raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    except OSError as error:
        raise _unreachable(error) from error
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    connection.sock = raw
    return connection


def _unreachable(error: Exception) -> Unreachable:
    kind = TimedOut if isinstance(error, TimeoutError) else Unreachable
    return kind(f"{type(error).__name__}: {error}"[:300])


def _address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{host} has no address: {error}") from error
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if address.is_global or (address.is_loopback and is_loopback(host)):
            return str(place[0])
    raise NotAllowed(f"{host} points into a private network.")


def _read(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """At most so much, and within the time even when it comes byte by byte."""
    content = b""
    while len(content) < MAX_ANSWER_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = answer.read1(8192)
        if not piece:
            break
        content += piece
    return content


def _seconds(value: str | None) -> int | None:
    return min(int(value), 24 * 3600) if value and value.isascii() and value.strip().isdigit() else None
