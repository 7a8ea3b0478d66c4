"""Where to report vulnerabilities: /.well-known/security.txt (RFC 9116)."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.core.clock import now
from backend.settings import Settings, SettingsError

PATH = "/.well-known/security.txt"


def with_contact(app: Flask, monkeypatch: pytest.MonkeyPatch, contact: str, expires: date | None) -> None:
    settings: Settings = app.extensions["settings"]
    changed = replace(settings, security_contact=contact, security_contact_expires=expires)
    monkeypatch.setitem(app.extensions, "settings", changed)


def test_security_txt_with_contact_returns_contact_and_expiry(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = now().astimezone(app.extensions["settings"].zone).date()
    with_contact(app, monkeypatch, "mailto:security@market.example", today)
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.strip().splitlines())
    assert fields["Contact"] == "mailto:security@market.example"
    assert now() < datetime.fromisoformat(fields["Expires"]) <= now() + timedelta(days=1)
    assert fields["Canonical"].endswith(PATH)


def test_security_txt_without_contact_or_after_expiry_returns_404(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(PATH).status_code == 404
    with_contact(app, monkeypatch, "mailto:security@market.example", now().date() - timedelta(days=2))
    answer = client.get(PATH)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")  # type: ignore[index]  # a problem has a body


def test_security_contact_settings_are_parsed_and_validated() -> None:
    given = {"SECURITY_CONTACT": "security@market.example", "SECURITY_CONTACT_EXPIRES": "2027-06-30"}
    settings = Settings.from_env(given)
    assert settings.security_contact == "mailto:security@market.example"
    assert settings.security_contact_expires == date(2027, 6, 30)
    page = Settings.from_env({**given, "SECURITY_CONTACT": "https://market.example/security"})
    assert page.security_contact == "https://market.example/security"
    for wrong in (
        {"SECURITY_CONTACT": "call us"},
        {"SECURITY_CONTACT_EXPIRES": "soon"},
        {"SECURITY_CONTACT_EXPIRES": ""},
    ):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            Settings.from_env({**given, **wrong})
