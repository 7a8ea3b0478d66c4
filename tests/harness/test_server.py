"""The web server itself, by raw bytes: what no framework sees first."""

import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
import requests

from tests.harness.market import RunningMarket
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.launch
JSON = {"Content-Type": "application/json"}


def in_parts(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def raw(market: RunningMarket, data: bytes, *, wait: float = HANG_SECONDS) -> bytes:
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
    answer = requests.post(
        market.url("/check"), data=in_parts(body[:10], body[10:]), headers=JSON, timeout=HANG_SECONDS
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


def test_a_body_in_chunks_has_the_same_limit(market: RunningMarket) -> None:
    try:
        answer = requests.post(
            market.url("/check"), data=in_parts(*[b"x" * 65536] * 160), headers=JSON, timeout=HANG_SECONDS
        )
    except requests.ConnectionError:
        return  # the server may close as soon as it is too much
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_who_falls_silent_in_the_middle_holds_up_nobody(market: RunningMarket) -> None:
    """More of them than there are threads: calls without a body are answered, others are answered or told to wait."""
    head = b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    silent = [socket.create_connection(("127.0.0.1", market.port)) for _ in range(60)]
    try:
        for connection in silent:
            connection.sendall(head)
        for _ in range(5):
            assert requests.get(market.url("/healthz"), timeout=HANG_SECONDS).status_code == 200
            assert sign_in_as_nobody(market) in (401, 503)
    finally:
        for connection in silent:
            connection.close()
    assert wait_until(lambda: sign_in_as_nobody(market) == 401), "they are gone, and their places are still taken"


def test_silent_bodies_are_told_by_readiness_and_metrics(market: RunningMarket) -> None:
    head = b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    silent = [socket.create_connection(("127.0.0.1", market.port)) for _ in range(40)]
    try:
        for connection in silent:
            connection.sendall(head)
        assert wait_until(
            lambda: requests.get(market.url("/readyz"), timeout=HANG_SECONDS).json()["bodies"]["state"] == "down"
        )
        answer = requests.get(market.url("/readyz"), timeout=HANG_SECONDS)
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert "request bodies are still arriving" in answer.json()["detail"]
        figure = re.search(
            r"^bodies_waiting (\d+)", requests.get(market.url("/metrics"), timeout=HANG_SECONDS).text, re.MULTILINE
        )
        assert figure is not None
        assert 0 < int(figure[1]) <= 12, "a third of the places in each process: they all come from one address"
    finally:
        for connection in silent:
            connection.close()
    assert wait_until(lambda: requests.get(market.url("/readyz"), timeout=HANG_SECONDS).json()["status"] == "ready")


def sign_in_as_nobody(market: RunningMarket) -> int:
    return requests.post(
        market.url("/check"), json={"username": "nobody", "password": "x"}, timeout=HANG_SECONDS
    ).status_code


def test_a_refusal_reaches_who_listens_only_after_the_last_byte(market: RunningMarket) -> None:
    """Python's own client is one of them."""
    connection = HTTPConnection("127.0.0.1", market.port, timeout=HANG_SECONDS)
    connection.request("POST", "/check", body=b"x" * 8_000_000, headers=JSON)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_refusal_reaches_who_then_falls_silent(market: RunningMarket) -> None:
    head = (
        b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", market.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(head + b"x" * 1000)
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /check HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 900_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 900_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["garbage", "version", "nul", "negative", "smuggle", "chunk", "header", "address", "tls"],
)  # fmt: skip
def test_what_is_not_http_gets_no_500(market: RunningMarket, data: bytes) -> None:
    answer = raw(market, data, wait=3)
    assert b" 500 " not in answer[:100]
    assert requests.get(market.url("/healthz"), timeout=HANG_SECONDS).status_code == 200


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
