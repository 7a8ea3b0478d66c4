"""A client that costs little: raw sockets, kept open, a thread each; it counts whole answers of the expected status."""

import re
import socket
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CONNECTIONS: Final = 16  # as many as the server has threads
PATIENCE_SECONDS: Final = 15.0


def get(path: str, **headers: str) -> bytes:
    """The bytes of a GET call."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass
class Load:
    """What a load came to."""

    seconds: float = 0.0
    answers: int = 0
    latencies: list[float] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def quantile(self, share: float) -> float:
        """The latency that this share of the answers kept below, in seconds."""
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def call(self, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of the answer."""
        self.socket.sendall(request)
        data = self.rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end]
        found = LENGTH.search(head)
        whole = end + 4 + (int(found.group(1)) if found and b" 304 " not in head[:16] else 0)
        while len(data) < whole:
            data += self._more()
        self.rest = data[whole:]
        return head, data[end + 4 : whole]

    def _more(self) -> bytes:
        received = self.socket.recv(262_144)
        if not received:
            raise ConnectionError("the server hung up")
        return received


def once(port: int, request: bytes) -> tuple[bytes, bytes]:
    """One call: head and body."""
    connection = _Connection(port)
    try:
        return connection.call(request)
    finally:
        connection.socket.close()


def run(
    port: int,
    requests: Sequence[bytes],
    *,
    seconds: float,
    status: int = 200,
    connections: int = CONNECTIONS,
    pause: float = 0.0,
    may_refuse: bool = False,
) -> Load:
    """Call one after the other on each connection until the time is up. Raises RuntimeError when an answer is wrong.

    ``pause``: seconds from one answer to the next call, as of people who look at what they got. ``may_refuse``: an
    answer of 503 is counted as ``refused``, and the caller goes on.
    """
    load, lock = Load(), threading.Lock()
    expected = f"HTTP/1.1 {status} ".encode()
    until = time.perf_counter() + seconds

    def call(place: int) -> None:
        connection = _Connection(port)
        latencies: list[float] = []
        number = place * len(requests) // connections
        while (began := time.perf_counter()) < until:
            head, _ = connection.call(requests[number % len(requests)])
            number += 1
            if may_refuse and head.startswith(b"HTTP/1.1 503 "):
                load.refused += 1
                continue
            latencies.append(time.perf_counter() - began)
            if not head.startswith(expected):
                load.wrong.append(head)
                break
            if pause:
                time.sleep(pause)
        connection.socket.close()
        with lock:
            load.latencies += latencies

    began = time.perf_counter()
    threads = [threading.Thread(target=call, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.seconds, load.answers = time.perf_counter() - began, len(load.latencies)
    if load.wrong or not load.answers:
        raise RuntimeError(f"wrong answer: {load.wrong[:1]}")
    return load


def side_by_side(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int = 5
) -> tuple[float, float, float]:
    """Medians of both, and of their ratio, taken in turns: on a shared machine what is near in time is comparable."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            baseline = theirs()
            pairs.append((ours(), baseline))
        else:
            figure = ours()
            pairs.append((figure, theirs()))
    figures, baselines = zip(*pairs, strict=True)
    ratio = statistics.median(figure / baseline for figure, baseline in pairs)
    return statistics.median(figures), statistics.median(baselines), ratio
