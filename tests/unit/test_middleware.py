"""Headers of every response, trusted proxies, and host checks."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings

Make = Callable[..., Flask]


@pytest.fixture
def make(environ: dict[str, str]) -> Iterator[Make]:
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        app = create_app(Settings.from_env({**environ, **changes}))
        app.add_url_rule("/where", "where", lambda: f"{request.remote_addr} {request.scheme} {request.host}")
        made.append(app)
        return app

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


def ask(app: Flask, sender: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get("/where", headers=named, environ_overrides={"REMOTE_ADDR": sender})


@pytest.mark.parametrize("sender", ["203.0.113.1", "10.1.0.1", "2001:db8::1", "unix:"])
def test_forwarded_headers_of_untrusted_sender_are_ignored(make: Make, sender: str) -> None:
    app = make(TRUSTED_PROXIES="10.0.0.0/24")
    answer = ask(
        app, sender, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example"
    )
    assert answer.text == f"{sender} http localhost"


def test_forwarded_headers_of_trusted_proxy_are_used(make: Make) -> None:
    app = make(TRUSTED_PROXIES="10.0.0.0/24,2001:db8::/32")
    for sender in ("10.0.0.7", "2001:db8::7"):
        answer = ask(app, sender, X_Forwarded_For="192.0.2.1, 198.51.100.1", X_Forwarded_Proto="https")
        assert answer.text.startswith("198.51.100.1 https"), "only the last hop is set by the proxy"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blank", "line\u2028break", "<script>"])
def test_request_id_of_invalid_format_is_replaced(make: Make, given: str) -> None:
    answer = make().test_client().get("/healthz", headers={"X-Request-Id": given.encode().decode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_request_id_of_valid_format_is_kept(make: Make) -> None:
    answer = make().test_client().get("/healthz", headers={"X-Request-Id": "from-the-proxy.1"})
    assert answer.headers["X-Request-Id"] == "from-the-proxy.1"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/app/"])
def test_security_headers_are_on_every_response(make: Make, path: str) -> None:
    headers = make().test_client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_https_public_url_enables_hsts_and_secure_cookies(make: Make) -> None:
    app = make(PUBLIC_URL="https://market.example")
    assert "max-age=31536000" in app.test_client().get("/healthz").headers["Strict-Transport-Security"]
    assert app.config["JWT_COOKIE_SECURE"] is True


FOREIGN = ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.8", "web"]


@pytest.mark.usefixtures("shared_app")
@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/tasks", "//tasks", "/app/", "/nowhere"])
def test_host_not_allowed_returns_421(make: Make, host: str, path: str) -> None:
    client, exactly = make().test_client(), {"PATH_INFO": path}
    first = client.get("/", environ_overrides=exactly)
    assert first.status_code != 421, "served, and possibly cached, for an allowed host"
    answer: Any = client.get("/", headers={"Host": host}, environ_overrides=exactly)
    assert (answer.status_code, answer.json["code"]) == (421, "misdirected")
    assert host not in answer.get_data(as_text=True) + str(answer.headers)


ALLOWED = ["localhost", "localhost:1", "LOCALHOST:65535", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "a.localhost",
        "market.example", "Market.Example:8443", "market.example.", "web:5000", "a.b.internal",
        "192.168.7.7:80"]  # fmt: skip


@pytest.mark.parametrize("host", ALLOWED)
def test_host_allowed_is_served(make: Make, host: str) -> None:
    app = make(PUBLIC_URL="https://market.example", ALLOWED_HOSTS="web,.internal,192.168.7.7")
    assert app.test_client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["", "two words", "a,b", "a/b", "user@market.example", "[::1", "a:port"])
def test_host_malformed_returns_400(make: Make, host: str) -> None:
    answer: Any = make().test_client().get("/healthz", headers={"Host": host})
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_host_missing_is_accepted_only_in_http_1_0(make: Make) -> None:
    def ask_in(protocol: str) -> int:
        environ = {**EnvironBuilder("/healthz").get_environ(), "SERVER_PROTOCOL": protocol}
        del environ["HTTP_HOST"]
        _, status, _ = run_wsgi_app(make().wsgi_app, environ)
        return int(status.split()[0])

    assert ask_in("HTTP/1.1") == 400
    assert ask_in("HTTP/1.0") == 200


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_probes_and_metrics_by_ip_address_are_served(make: Make, path: str) -> None:
    client = make().test_client()
    assert client.get(path, headers={"Host": "10.0.0.8:5000"}).status_code == 200
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 421


def test_forwarded_host_of_trusted_proxy_is_checked(make: Make) -> None:
    app = make(TRUSTED_PROXIES="10.0.0.7", PUBLIC_URL="https://market.example")
    headers = {"Host": "upstream", "X-Forwarded-Host": "market.example"}
    client = app.test_client()
    for sender, status in (("10.0.0.7", 200), ("10.0.0.9", 421)):
        assert client.get("/where", headers=headers, environ_overrides={"REMOTE_ADDR": sender}).status_code == status


def test_path_with_double_slash_is_not_redirected(make: Make) -> None:
    assert make().test_client().get("/tasks//1").status_code == 404
