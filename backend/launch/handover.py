"""How web servers of two versions share a port, so that one replaces the other without a refused or reset connection.

The launcher opens the listening sockets and passes them to every web server that it starts. They stay open when one
ends, so no connection is lost that waits to be accepted: Linux resets those that wait at a socket that is closed, with
SO_REUSEPORT too (ip-sysctl, tcp_migrate_req). A server that replaces another answers on a probe first, and accepts
calls when its gate opens. A replaced server (SIGUSR2) stops accepting, and closes each kept connection with its next
response.
"""

import argparse
import contextlib
import os
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BACKLOG: Final = 1024
PID_HEADER: Final = "Doorstep-Pid"
PROBE_HEADER: Final = "Doorstep-Probe"


@dataclass(frozen=True, slots=True)
class Inherited:
    """File descriptors that the launcher passed to this web server, and to the processes forked from it.

    ``listeners``: listening sockets, none if it opens its own. ``probe``: a listening socket for the launcher alone.
    ``gate``: a pipe; calls are accepted once its other end is closed. ``token``: calls with it in a header are told
    which process answered.
    """

    listeners: tuple[int, ...] = ()
    probe: int | None = None
    gate: int | None = None
    token: str = ""

    @property
    def arguments(self) -> list[str]:
        """Return the arguments of the web server that :func:`parse` reads."""
        found = []
        if self.listeners:
            found += ["--listen", ",".join(map(str, self.listeners))]
        for name, value in (("--probe", self.probe), ("--gate", self.gate), ("--token", self.token)):
            if value not in (None, ""):
                found += [name, str(value)]
        return found

    @property
    def descriptors(self) -> tuple[int, ...]:
        return (*self.listeners, *(one for one in (self.probe, self.gate) if one is not None))


@dataclass
class _Process:
    inherited: Inherited = Inherited()


_process: Final = _Process()


def parse(arguments: Sequence[str]) -> Inherited:
    """Return the descriptors in the arguments of a web server, which are then this process's."""
    parser = argparse.ArgumentParser("python -m backend.wsgi", description="Serve until SIGTERM.")
    parser.add_argument("--listen", default="", help="listening sockets, as numbers of file descriptors")
    parser.add_argument("--probe", type=int, help="a listening socket that is answered before the gate opens")
    parser.add_argument("--gate", type=int, help="a pipe, at whose end calls are accepted")
    parser.add_argument("--token", default="", help="calls that have it in a header are told which process answered")
    found = parser.parse_args(arguments)
    listeners = tuple(int(one) for one in found.listen.split(",") if one)
    _process.inherited = Inherited(listeners, found.probe, found.gate, found.token)
    return _process.inherited


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """Return a socket that listens at an IP address. Raises OSError."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def local(host: str) -> str:
    """Return the address by which this machine reaches a server that listens at an IP address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def server_class(server: Any) -> Any:
    """Return Granian's server class, changed: its processes accept at the inherited sockets, each at one of them."""
    from granian import _granian

    inherited = _process.inherited
    if not inherited.listeners:
        return server

    class SharingServer(server):  # type: ignore[misc]  # Granian picks its class at run time
        _holders: tuple[object, ...] = ()

        def _init_shared_socket(self) -> None:
            self._sso = self._ssp = None
            # Granian passes shared sockets in it where it has no SO_REUSEPORT; its stubs leave the arguments out.
            holder: Any = _granian.SocketHolder
            self._holders = tuple(holder(one, False, BACKLOG) for one in inherited.listeners)

        def _spawn_worker(self, idx: int, **named: object) -> object:
            self._shd = self._holders[idx % len(self._holders)]
            return super()._spawn_worker(idx, **named)

    return SharingServer


def stop_accepting(*_: object) -> None:
    """Accept no more connections in this process; other processes go on to accept at the same sockets.

    A silent socket takes the place of each descriptor of them: the sockets themselves stay open elsewhere, so closing
    ours would leave Granian without a descriptor that it reads.
    """
    wanted = {os.fstat(one).st_ino for one in _process.inherited.listeners}
    found = []
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):
            about = os.fstat(int(path.name))
            if stat.S_ISSOCK(about.st_mode) and about.st_ino in wanted:
                found.append(int(path.name))
    if found:
        with listen("127.0.0.1", 0) as silent:
            for descriptor in found:
                os.dup2(silent.fileno(), descriptor, inheritable=False)


def changing(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application, changed: while the server ends, each response closes its connection (RFC 9112, 9.6).

    Responses to the launcher's own calls name this process.
    """
    from backend.core.observability import health

    token, key = _process.inherited.token, f"HTTP_{PROBE_HEADER.upper().replace('-', '_')}"

    def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if health.is_draining():
            start_response = _with_header(start_response, ("Connection", "close"))
        if token and environ.get(key) == token:
            start_response = _with_header(start_response, (PID_HEADER, str(os.getpid())))
        return application(environ, start_response)

    return respond


def _with_header(start_response: "StartResponse", header: tuple[str, str]) -> "StartResponse":
    def start(
        status: str, headers: list[tuple[str, str]], error: "OptExcInfo | None" = None
    ) -> Callable[[bytes], object]:
        return start_response(status, [*headers, header], error)

    return start


def wait_for_gate(application: "WSGIApplication") -> None:
    """Answer calls on the probe until the gate opens; return at once in a server without one."""
    from backend.core.observability import health

    signal.signal(signal.SIGUSR2, stop_accepting)
    if health.has_left():  # it replaces a process that ended since then
        stop_accepting()
        return
    probe, gate = _process.inherited.probe, _process.inherited.gate
    if probe is None or gate is None:
        return
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Log nothing: the launcher asks many times a second."""

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet, fd=probe)
    answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    answering.start()
    os.read(gate, 1)
    server.shutdown()
    server.server_close()
