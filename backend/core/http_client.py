"""HTTP calls to other hosts: allowed hosts only, addresses checked when connecting, no redirects, one deadline."""

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_RESPONSE_BYTES: Final = 64 * 1024
T = TypeVar("T")
PORTS: Final = {"https": 443, "http": 80}


class NotAllowed(Exception):
    """The URL is not allowed."""


class Unreachable(Exception):
    """The host did not respond, or the connection broke."""


class TimedOut(Unreachable):
    """The host did not respond in time; the next call would wait as long."""


@dataclass(frozen=True, slots=True)
class Response:
    """The response."""

    status: int
    body: bytes
    content_type: str
    retry_after: int | None


def check(url: str, *, allowed: Sequence[str]) -> SplitResult:
    """Return the parts of an allowed URL. Raises NotAllowed with the reason.

    The host, with its port unless it is the default, must be listed; an entry such as ``.example.org`` allows all
    subdomains, on the default port. http is only for listed loopback addresses.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise NotAllowed("Not a valid URL.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in PORTS or not host or any(char.isspace() or ord(char) < 32 for char in url):
        raise NotAllowed("Must start with https:// and contain a host name.")
    if not url.isascii():
        raise NotAllowed("Must contain only ASCII characters. Percent-encode all others.")
    if parts.username or parts.password or parts.fragment:
        raise NotAllowed("Must not contain a username, password or fragment.")
    if not _is_listed(host, port, allowed, is_default=port == PORTS[parts.scheme]):
        raise NotAllowed(f"The host must be one of: {', '.join(allowed)}.")
    if parts.scheme == "http" and not is_loopback(host):
        raise NotAllowed("Must start with https://.")
    return parts


def _is_listed(host: str, port: int, allowed: Sequence[str], *, is_default: bool) -> bool:
    bracketed = f"[{host}]" if ":" in host else host
    if f"{bracketed}:{port}" in allowed or ((is_default or is_loopback(host)) and bracketed in allowed):
        return True
    return is_default and any(entry.startswith(".") and host.endswith(entry) for entry in allowed)


def is_loopback(host: str) -> bool:
    """Return whether the host is a loopback IP address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def post_json(url: str, body: bytes, *, allowed: Sequence[str], timeout: float) -> Response:
    """POST JSON and return the response; see :func:`post`."""
    headers = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}
    return post(url, body, headers=headers, allowed=allowed, timeout=timeout)


def post(url: str, body: bytes, *, headers: Mapping[str, str], allowed: Sequence[str], timeout: float) -> Response:
    """POST and return the response. Raises NotAllowed or Unreachable.

    ``timeout`` is in seconds and covers everything: name resolution, connection, TLS, headers and body.
    """
    parts = check(url, allowed=allowed)
    deadline = Deadline(timeout)
    raw = _connect(parts, deadline)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.sock = _TimedSocket(raw, deadline)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        own = {"User-Agent": "Doorstep", "Connection": "close"}
        connection.request("POST", target, body=body, headers={**headers, **own})
        response = connection.getresponse()
        content = _read(response)
        pause = _seconds(response.getheader("Retry-After"))
        return Response(response.status, content, response.headers.get_content_type(), pause)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(error) from error
    finally:
        raw.close()


class Deadline:
    """The time by which a call must have ended."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call timed out")
        return left


class _TimedSocket:
    """A connected socket for http.client whose reads and writes share one deadline.

    A socket's own timeout restarts with each byte, so a host that sends slowly would never time out. The socket is
    closed by the code that opened it, because http.client closes it before the body is read.
    """

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._raw, self._deadline))

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._raw.settimeout(self._deadline.left)
            view = view[self._raw.send(view) :]

    def close(self) -> None:
        """Do nothing."""


class _TimedReader(io.RawIOBase):
    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._raw.settimeout(self._deadline.left)
        return self._raw.recv_into(buffer)


def _connect(parts: SplitResult, deadline: Deadline) -> socket.socket:
    """Connect to the address that was checked, so that DNS rebinding does not bypass the check."""
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    try:
        address = _address(host, port, deadline)
        raw = socket.create_connection((address, port), timeout=deadline.left)
        if parts.scheme == "http":
            return raw
        try:
            raw.settimeout(deadline.left)
            return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise
    except OSError as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> Unreachable:
    kind = TimedOut if isinstance(error, TimeoutError) else Unreachable
    return kind(f"{type(error).__name__}: {error}"[:300])


def _address(host: str, port: int, deadline: Deadline) -> str:
    try:
        found = within(deadline, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError:
        raise
    except OSError as error:
        raise Unreachable(f"{host} could not be resolved: {error}") from error
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if address.is_global or (address.is_loopback and is_loopback(host)):
            return str(place[0])
    raise NotAllowed(f"{host} resolves to a private address.")


def within(deadline: Deadline, call: Callable[[], T]) -> T:
    """Return what the call returns, or raise what it raises. Raises TimeoutError at the deadline.

    The call runs in a daemon thread, for functions without a timeout such as the system's resolver. An abandoned
    thread ends with its call.
    """
    ended: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put((call(), None))
        except Exception as error:  # noqa: BLE001 - re-raised in the waiting thread
            ended.put((None, error))

    threading.Thread(target=run, name="outbound", daemon=True).start()
    try:
        value, error = ended.get(timeout=deadline.left)
    except queue.Empty:
        raise TimeoutError("the call timed out") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # without an error there is a value


def _read(response: http.client.HTTPResponse) -> bytes:
    """Read the start of the body; the rest is not needed."""
    content = b""
    while len(content) < MAX_RESPONSE_BYTES:
        piece = response.read1(8192)
        if not piece:
            break
        content += piece
    return content


def _seconds(value: str | None) -> int | None:
    return min(int(value), 24 * 3600) if value and value.isascii() and value.strip().isdigit() else None
