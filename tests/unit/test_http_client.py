"""Calls to other hosts: only allowed ones, by checked addresses, without redirects, with short timeouts."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from backend.core import http_client
from tests.factories.servers import WebServer
from tests.waiting import HANG_SECONDS

GOOGLE = ("chat.googleapis.com",)


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


def test_check_url_of_allowed_host_is_accepted() -> None:
    assert http_client.check("https://chat.googleapis.com/v1/spaces/A/messages?key=k", allowed=GOOGLE).port is None
    assert http_client.check("https://CHAT.googleapis.com:443/x", allowed=GOOGLE)
    assert http_client.check("http://127.0.0.1:9000/x", allowed=("127.0.0.1:9000",))
    assert http_client.check("http://localhost:9000/x", allowed=("localhost",))
    assert http_client.check("http://[::1]:9000/x", allowed=("[::1]:9000",))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://chat.googleapis.com.evil.example/",
        "https://evil.example/chat.googleapis.com",
        "https://chat.googleapis.com@evil.example/",
        "https://user:secret@chat.googleapis.com/",
        "https://chat.googleapis.com:8443/",
        "http://chat.googleapis.com/",
        "ftp://chat.googleapis.com/",
        "file:///etc/passwd",
        "//chat.googleapis.com/",
        "https://chat.googleapis.com/#x",
        "https://chat.googleapis.com/a b",
        "https://chat.googleapis.com/räume",
        "https://chat.googleapis.com/\r\nHost: evil",
        "https://127.0.0.1/",
        "http://[::1",
        "https://chat.googleapis.com:99999/",
        "",
    ],
)
def test_check_url_of_other_host_or_form_is_rejected(url: str) -> None:
    with pytest.raises(http_client.NotAllowed):
        http_client.check(url, allowed=GOOGLE)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "0.0.0.0"])
def test_post_json_to_allowed_host_with_private_address_is_rejected(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(http_client.NotAllowed):
        http_client.post_json("https://chat.googleapis.com/x", b"{}", allowed=GOOGLE, timeout=1)


def test_post_json_does_not_follow_redirect(web: WebServer) -> None:
    web.answer = lambda _: (302, {"Location": "http://127.0.0.1:1/"}, b"")
    answer = http_client.post_json(web.url(), b"{}", allowed=("127.0.0.1",), timeout=2)
    assert (answer.status, len(web.posts)) == (302, 1)


def test_post_json_returns_retry_after_only_in_seconds(web: WebServer) -> None:
    web.answer = lambda number: (429, {"Retry-After": ["7", "Wed, 21 Oct 2026 07:28:00 GMT", "-1"][number - 1]}, b"")
    pauses = [http_client.post_json(web.url(), b"{}", allowed=("127.0.0.1",), timeout=2).retry_after for _ in range(3)]
    assert pauses == [7, None, None]


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Filler: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize("begins", [b"", HEADERS, BODY], ids=["status line", "headers", "body"])
def test_post_json_with_slowly_sent_response_times_out(begins: bytes) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(begins)
                while not stop.wait(0.1):  # for as long as somebody reads
                    connection.sendall(b"H")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        started = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(http_client.TimedOut):
            http_client.post_json(url, b"{}", allowed=("127.0.0.1",), timeout=0.5)
        assert time.monotonic() - started < HANG_SECONDS
        stop.set()
        thread.join(timeout=HANG_SECONDS)


def test_post_json_to_host_that_does_not_read_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(http_client.TimedOut):
            http_client.post_json(url, b" " * 50_000_000, allowed=("127.0.0.1",), timeout=0.5)
        assert time.monotonic() - started < HANG_SECONDS


def test_post_json_with_hanging_resolver_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(2 * HANG_SECONDS) and [])
    started = time.monotonic()
    with pytest.raises(http_client.TimedOut):
        http_client.post_json("https://chat.googleapis.com/x", b"{}", allowed=GOOGLE, timeout=0.3)
    assert time.monotonic() - started < HANG_SECONDS
    answered.set()


def test_post_json_to_unknown_host_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http_client.Unreachable, match=r"chat\.googleapis\.com could not be resolved"):
        http_client.post_json("https://chat.googleapis.com/x", b"{}", allowed=GOOGLE, timeout=5)


def test_post_json_to_closed_port_is_unreachable() -> None:
    with pytest.raises(http_client.Unreachable):
        http_client.post_json("http://127.0.0.1:1/", b"{}", allowed=("127.0.0.1",), timeout=1)
