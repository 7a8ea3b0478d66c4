"""The web server itself, by raw bytes: what no framework sees first."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.harness.market import RunningMarket

pytestmark = pytest.mark.launch
JSON = {"Content-Type": "application/json"}


def in_parts(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def raw(market: RunningMarket, data: bytes, *, wait: float = 10) -> bytes:
    """Send bytes, read until the server closes or the time is over."""
    answer = b""
    with socket.create_connection(("127.0.0.1", market.port), timeout=wait) as connection:
        connection.sendall(data)
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def test_a_body_in_chunks_is_read(market: RunningMarket) -> None:
    body = json.dumps({"username": "nobody", "password": "x"}).encode()
    answer = requests.post(market.url("/check"), data=in_parts(body[:10], body[10:]), headers=JSON, timeout=15)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


def test_a_body_in_chunks_has_the_same_limit(market: RunningMarket) -> None:
    try:
        answer = requests.post(market.url("/check"), data=in_parts(*[b"x" * 65536] * 160), headers=JSON, timeout=15)
    except requests.ConnectionError:
        return  # the server may close as soon as it is too much
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_shorter_than_it_said_holds_up_nobody(market: RunningMarket) -> None:
    head = b"POST /check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    waiting = [socket.create_connection(("127.0.0.1", market.port)) for _ in range(4)]
    try:
        for connection in waiting:
            connection.sendall(head)
        began = time.monotonic()
        assert requests.get(market.url("/healthz"), timeout=15).status_code == 200
        assert time.monotonic() - began < 10
    finally:
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 900_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 900_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["garbage", "version", "nul", "negative", "smuggle", "chunk", "header", "address", "tls"],
)  # fmt: skip
def test_what_is_not_http_gets_no_500(market: RunningMarket, data: bytes) -> None:
    answer = raw(market, data, wait=3)
    assert b" 500 " not in answer[:100]
    assert requests.get(market.url("/healthz"), timeout=15).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/tasks/%00", 404), ("/tasks/%FF", 404), ("/tasks?q=%00", 422), ("/tasks?q=%FF%FE", 200), ("//tasks", 200),
     ("/tasks/..%2f..%2fetc", 404), ("/docs/..%2ferrors.py", 404), ("/backend/app.py", 404)],
)  # fmt: skip
def test_odd_addresses(market: RunningMarket, path: str, status: int) -> None:
    answer = get(market, path)
    assert int(answer.split(b" ", 2)[1]) == status


@pytest.mark.parametrize("path", ["/app/%2e%2e/%2e%2e/backend/app.py", "/app/../../backend/app.py", "/app/..%5capp.py"])
def test_nothing_but_the_application_is_served_under_its_folder(market: RunningMarket, path: str) -> None:
    assert b"create_app" not in get(market, path)


def get(market: RunningMarket, path: str) -> bytes:
    return raw(market, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
