"""Security events are logged and counted without user input."""

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories.users import PASSWORD, Users


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if record.name == "security" and isinstance(record.msg, dict)]


def counted(client: FlaskClient, event: str) -> float:
    text = client.get("/metrics").get_data(as_text=True)
    line = f'security_events_total{{event="{event}"}} '
    return next((float(found[len(line) :]) for found in text.splitlines() if found.startswith(line)), 0.0)


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="security")


def test_failed_sign_in_is_logged_and_counted(
    client: FlaskClient, users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    asha = users.customer()
    before = counted(client, "sign_in_failed")
    caplog.clear()
    client.post("/check", json={"username": asha.username, "password": "not her password"})
    [event] = events(caplog)
    assert (event["event"], event["address"], event["route"]) == ("sign_in_failed", "127.0.0.1", "/check")
    assert event["request_id"]
    assert "not her password" not in str(event)
    assert asha.username not in str(event)
    assert counted(client, "sign_in_failed") == before + 1


def test_sign_in_and_sign_out_are_logged_with_account_and_session(
    users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    asha = users.customer()
    caplog.clear()
    again = users.sign_in(asha.username)
    assert again.post("/logout").status_code == 204
    signed_in, ended = events(caplog)
    assert (signed_in["event"], signed_in["account_id"]) == ("signed_in", asha.id)
    assert (ended["event"], ended["reason"]) == ("session_ended", "signed_out")
    assert signed_in["session_id"] == ended["session_id"]


def test_security_log_records_rejected_roles_tokens_and_blocked_accounts(
    client: FlaskClient, users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    asha, admin = users.customer(), users.admin()
    caplog.clear()
    asha.get("/customers")
    client.get("/me", headers={"Authorization": "Bearer forged"})
    admin.post(f"/users/{asha.id}/block", {"reason": "fraud"})
    asha.get("/me")
    kinds = [(event["event"], event.get("account_id")) for event in events(caplog)]
    assert kinds == [
        ("role_refused", asha.id),
        ("token_refused", None),
        ("session_ended", asha.id),
        ("blocked_refused", asha.id),
    ]


def test_security_log_records_reused_refresh_token(
    client: FlaskClient, users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    asha = users.customer()
    answer = client.post("/check", json={"username": asha.username, "password": PASSWORD, "client": "api"})
    bearer = {"Authorization": f"Bearer {answer.get_json()['refresh_token']}"}
    newer = client.post("/token/refresh", headers=bearer).get_json()["refresh_token"]
    client.post("/token/refresh", headers={"Authorization": f"Bearer {newer}"})
    caplog.clear()
    assert client.post("/token/refresh", headers=bearer).status_code == 401
    assert {event["event"] for event in events(caplog)} == {"token_reused", "session_ended"}
