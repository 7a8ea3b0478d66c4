"""What every answer carries, and whose word counts for where a call comes from."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request

from backend.app import create_app
from backend.core.database import db
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
def test_a_stranger_cannot_speak_for_others(make: Make, sender: str) -> None:
    app = make(TRUSTED_PROXIES="10.0.0.0/24")
    answer = ask(
        app, sender, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example"
    )
    assert answer.text == f"{sender} http localhost"


def test_a_configured_proxy_can(make: Make) -> None:
    app = make(TRUSTED_PROXIES="10.0.0.0/24,2001:db8::/32")
    for sender in ("10.0.0.7", "2001:db8::7"):
        answer = ask(app, sender, X_Forwarded_For="192.0.2.1, 198.51.100.1", X_Forwarded_Proto="https")
        assert answer.text.startswith("198.51.100.1 https"), "the last hop is the proxy's own word"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blank", "line\u2028break", "<script>"])
def test_request_ids_of_the_wrong_form_are_replaced(make: Make, given: str) -> None:
    answer = make().test_client().get("/healthz", headers={"X-Request-Id": given.encode().decode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_request_ids_of_the_right_form_are_kept(make: Make) -> None:
    answer = make().test_client().get("/healthz", headers={"X-Request-Id": "from-the-proxy.1"})
    assert answer.headers["X-Request-Id"] == "from-the-proxy.1"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/docs", "/app/"])
def test_safety_headers_are_on_everything(make: Make, path: str) -> None:
    headers = make().test_client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_tls_is_insisted_on_where_people_use_it(make: Make) -> None:
    app = make(PUBLIC_URL="https://market.example")
    assert "max-age=31536000" in app.test_client().get("/healthz").headers["Strict-Transport-Security"]
    assert app.config["JWT_COOKIE_SECURE"] is True
