"""Rotation of SECRET_KEY with fallbacks, and separate keys per purpose."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask

from backend.core.security import signing
from backend.domain.accounts import throttle
from backend.domain.notifications import preferences
from backend.settings import Settings
from tests.api.conftest import MakeApp
from tests.factories.users import PASSWORD, Users

NEW = "another-secret-key-of-32-bytes-or-more"


@pytest.fixture
def rotated(make: MakeApp, settings: Settings) -> Flask:
    """Return the application with a new SECRET_KEY and the old one as a fallback."""
    return make(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=settings.secret_key)


@pytest.fixture
def without_fallback(make: MakeApp) -> Flask:
    return make(SECRET_KEY=NEW)


def sign_in(app: Flask, username: str) -> Any:
    body = {"username": username, "password": PASSWORD, "client": "api"}
    return app.test_client().post("/check", json=body).json


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def status(app: Flask, path: str, token: str | None = None, **kwargs: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return app.test_client().open(path, headers=headers, **kwargs).status_code


def test_tokens_after_key_rotation_are_valid_with_fallback_only(
    app: Flask, users: Users, rotated: Flask, without_fallback: Flask
) -> None:
    asha = users.customer()
    old = sign_in(app, asha.username)
    assert status(rotated, "/me", old["access_token"]) == 200
    assert status(without_fallback, "/me", old["access_token"]) == 401
    assert status(without_fallback, "/token/refresh", old["refresh_token"], method="POST") == 401
    assert status(rotated, "/token/refresh", old["refresh_token"], method="POST") == 200
    new = sign_in(rotated, asha.username)["access_token"]
    assert status(without_fallback, "/me", new) == 200, "new tokens are signed by the new key"
    assert status(app, "/me", new) == 401


def test_token_header_names_key_without_revealing_it(app: Flask, users: Users, settings: Settings) -> None:
    header = jwt.get_unverified_header(str(users.customer().token))
    assert header["kid"] == signing.key_id(signing.key("tokens"))
    assert header["kid"] not in settings.secret_key + signing.key("tokens").hex()


@pytest.mark.parametrize("kid", ["", "unknown", 7, None, ["x"]])
def test_token_with_unknown_key_id_is_rejected(app: Flask, users: Users, kid: Any) -> None:
    claims = jwt.decode(str(users.customer().token), options={"verify_signature": False})
    parts = [part(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT", "kid": kid}, claims)]
    signature = hmac.digest(signing.key("tokens"), ".".join(parts).encode(), "sha256")
    assert status(app, "/me", ".".join([*parts, part(signature)])) == 401


def test_token_signed_without_key_id_is_valid_and_with_other_key_rejected(
    app: Flask, users: Users, settings: Settings
) -> None:
    claims = jwt.decode(str(users.customer().token), options={"verify_signature": False})
    assert status(app, "/me", jwt.encode(claims, settings.secret_key, algorithm="HS256")) == 200
    other = jwt.encode(claims, signing.key("cursors"), algorithm="HS256")
    assert status(app, "/me", other) == 401


def test_cursor_after_key_rotation_is_valid_with_fallback_only(
    app: Flask, users: Users, rotated: Flask, without_fallback: Flask
) -> None:
    admin = users.admin()
    for _ in range(2):
        users.customer()
    token = sign_in(without_fallback, admin.username)["access_token"]
    cursor = admin.get("/customers?limit=1").json["next_cursor"]
    assert status(rotated, f"/customers?cursor={cursor}", token) == 200
    assert status(without_fallback, f"/customers?cursor={cursor}", token) == 422


def test_cursor_cut_short_is_rejected(app: Flask, users: Users) -> None:
    admin = users.admin()
    for _ in range(2):
        users.customer()
    cursor = admin.get("/customers?limit=1").json["next_cursor"]
    assert admin.get(f"/customers?cursor={cursor}").status_code == 200
    for length in range(1, len(cursor)):
        assert admin.get(f"/customers?cursor={cursor[:length]}").status_code == 422


def test_unsubscribe_link_after_key_rotation_is_valid_with_fallback_only(
    app: Flask, users: Users, rotated: Flask, without_fallback: Flask
) -> None:
    asha = users.customer()
    path = preferences.address(asha.id, "reminder").removeprefix(app.extensions["settings"].public_url)
    assert [status(one, path) for one in (app, rotated, without_fallback)] == [200, 200, 404]
    assert status(app, path[:-2]) == 404


def test_unsubscribe_link_of_earlier_version_is_valid(
    app: Flask, users: Users, rotated: Flask, without_fallback: Flask
) -> None:
    asha = users.customer()
    for key in (signing.key("unsubscribe"), app.extensions["settings"].secret_key.encode()):
        signature = hmac.new(key, f"unsubscribe:{asha.id}:reminder".encode(), "sha256").hexdigest()[:32]
        path = f"/unsubscribe/{asha.id}.reminder.{signature}"
        assert [status(one, path) for one in (app, rotated, without_fallback)] == [200, 200, 404]
        for cut in (1, 2, 32):
            assert status(app, path[:-cut]) == 404
        assert status(app, path.replace("reminder", "report")) == 404


def test_device_cookie_of_earlier_version_is_recognised(app: Flask, settings: Settings) -> None:
    signed = f"7.device.{int(time.time())}"
    cookie = f"{signed}.{part(hmac.digest(signing.key('devices'), signed.encode(), 'sha256'))}"
    assert throttle.recognised(cookie, 7) == "device"
    assert throttle.recognised(cookie[:-1] + ("A" if cookie[-1] != "A" else "E"), 7) is None
    assert throttle.recognised(cookie.replace("device", "other"), 7) is None


def test_signing_keys_are_derived_by_hkdf(app: Flask, settings: Settings) -> None:
    for purpose in ("tokens", "cursors", "unsubscribe"):
        expected = HKDF(algorithm=SHA256(), length=32, salt=b"doorstep", info=purpose.encode())
        assert signing.key(purpose) == expected.derive(settings.secret_key.encode())


def test_signature_of_one_purpose_is_invalid_for_another(app: Flask) -> None:
    signature = signing.signer("cursors").get_signature(b"message")
    assert signing.signer("cursors").verify_signature(b"message", signature)
    assert not signing.signer("unsubscribe").verify_signature(b"message", signature)
    assert not signing.signer("cursors").verify_signature(b"other", signature)
    assert not signing.signer("cursors").verify_signature(b"message", b"")
