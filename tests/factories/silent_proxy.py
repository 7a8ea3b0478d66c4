"""A proxy on loopback that can stop forwarding and keep all connections open, as a network that loses every packet."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

PIECE: Final = 1 << 16


class SilentProxy:
    """Forwards connections to a port until it is silenced; it then accepts new ones and forwards nothing."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = threading.Event()
        self._open.set()
        self._closed = threading.Event()
        self._refuses = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.silence_on_answer: Callable[[bytes], bool] | None = None
        self._thread(self._accept)

    def silence(self) -> None:
        """Stop forwarding, in both directions, without closing anything."""
        self._open.clear()

    def resume(self) -> None:
        """Forward again, starting with what arrived meanwhile."""
        self.silence_on_answer = None
        self._open.set()

    def cut(self) -> None:
        """Close all connections, and each new one at once, as in front of a server that was stopped."""
        self._refuses.set()
        for each in list(self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Accept connections again."""
        self._refuses.clear()

    def close(self) -> None:
        self._closed.set()
        self._open.set()
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._thread(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        self._open.wait()
        if self._closed.is_set():
            return
        if self._refuses.is_set():
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        self._sockets.append(server)
        if self._closed.is_set() or self._refuses.is_set():
            for each in (server, client):
                each.close()
            return
        self._thread(self._forward, client, server, False)
        self._thread(self._forward, server, client, True)

    def _forward(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if is_answer and self.silence_on_answer is not None and self.silence_on_answer(piece):
                    self.silence()
                self._open.wait()
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _thread(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()
