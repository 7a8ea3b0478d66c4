"""The web server with raw requests: chunked, incomplete, malformed and odd ones."""

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
    """Send bytes and return what the server sends until it closes or the time is over."""
    answer = b""
    with socket.create_connection(("127.0.0.1", market.port), timeout=wait) as connection:
        connection.sendall(data)
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def test_chunked_body_is_read(market: RunningMarket) -> None:
    body = json.dumps({"username": "nobody", "password": "x"}).encode()
    answer = requests.post(
        market.url("/check"), data=in_parts(body[:10], body[10:]), headers=JSON, timeout=HANG_SECONDS
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


def test_chunked_body_over_limit_returns_413(market: RunningMarket) -> None:
    try:
        answer = requests.post(
            market.url("/check"), data=in_parts(*[b"x" * 65536] * 160), headers=JSON, timeout=HANG_SECONDS
        )
    except requests.ConnectionError:
        return  # the server may close as soon as the limit is exceeded
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_incomplete_bodies_do_not_block_other_callers(market: RunningMarket) -> None:
    """With more of them than threads, calls without a body are served, and others are served or get 503."""
    head = b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    incomplete = [socket.create_connection(("127.0.0.1", market.port)) for _ in range(60)]
    try:
        for connection in incomplete:
            connection.sendall(head)
        for _ in range(5):
            assert requests.get(market.url("/healthz"), timeout=HANG_SECONDS).status_code == 200
            assert sign_in_as_nobody(market) in (401, 503)
    finally:
        for connection in incomplete:
            connection.close()
    assert wait_until(lambda: sign_in_as_nobody(market) == 401), "their slots were not released"


def test_incomplete_bodies_are_reported_by_readyz_and_metrics(market: RunningMarket) -> None:
    head = b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    incomplete = [socket.create_connection(("127.0.0.1", market.port)) for _ in range(40)]
    try:
        for connection in incomplete:
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
        assert 0 < int(figure[1]) <= 12, "a third of the slots of each process, as all are from one address"
    finally:
        for connection in incomplete:
            connection.close()
    assert wait_until(lambda: requests.get(market.url("/readyz"), timeout=HANG_SECONDS).json()["status"] == "ready")


def sign_in_as_nobody(market: RunningMarket) -> int:
    return requests.post(
        market.url("/check"), json={"username": "nobody", "password": "x"}, timeout=HANG_SECONDS
    ).status_code


def test_rejection_reaches_client_that_reads_only_after_sending_everything(market: RunningMarket) -> None:
    """Python's http.client is such a client."""
    connection = HTTPConnection("127.0.0.1", market.port, timeout=HANG_SECONDS)
    connection.request("POST", "/check", body=b"x" * 8_000_000, headers=JSON)
    assert connection.getresponse().status == 413
    connection.close()


def test_rejection_reaches_client_that_stops_sending(market: RunningMarket) -> None:
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
def test_malformed_request_does_not_cause_500(market: RunningMarket, data: bytes) -> None:
    answer = raw(market, data, wait=3)
    assert b" 500 " not in answer[:100]
    assert requests.get(market.url("/healthz"), timeout=HANG_SECONDS).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/tasks/%00", 404), ("/tasks/%FF", 404), ("/tasks?q=%00", 422), ("/tasks?q=%FF%FE", 200), ("//tasks", 200),
     ("/tasks/..%2f..%2fetc", 404), ("/docs/..%2ferrors.py", 404), ("/backend/app.py", 404)],
)  # fmt: skip
def test_odd_paths_return_expected_status(market: RunningMarket, path: str, status: int) -> None:
    answer = get(market, path)
    assert int(answer.split(b" ", 2)[1]) == status


@pytest.mark.parametrize("path", ["/app/%2e%2e/%2e%2e/backend/app.py", "/app/../../backend/app.py", "/app/..%5capp.py"])
def test_paths_outside_of_web_app_folder_are_not_served(market: RunningMarket, path: str) -> None:
    assert b"create_app" not in get(market, path)


def get(market: RunningMarket, path: str) -> bytes:
    return raw(market, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
