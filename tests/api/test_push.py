"""Devices with push notifications: subscribing, listing and removing them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.push import Browser
from tests.factories.users import Users

ALLOWED = "https://updates.push.services.mozilla.com/wpush/v2/abc"


def body(endpoint: str = ALLOWED) -> dict[str, object]:
    return {"endpoint": endpoint, "keys": Browser().keys}


def test_subscribe_and_list_shows_the_device_without_its_secrets(users: Users) -> None:
    asha = users.customer()
    answer = asha.post("/me/push_subscriptions", json=body())
    assert answer.status_code == 201
    device = answer.json
    assert (device["provider"], device["current"]) == ("updates.push.services.mozilla.com", 1)
    assert asha.get("/me/push_subscriptions").json["items"] == [device]
    assert set(device) == {"id", "provider", "user_agent", "created_at", "current"}


def test_subscribe_again_updates_the_same_device(users: Users) -> None:
    asha = users.customer()
    first, second = (asha.post("/me/push_subscriptions", json=body()).json for _ in range(2))
    assert first["id"] == second["id"]
    assert len(asha.get("/me/push_subscriptions").json["items"]) == 1


def test_subscribe_in_browser_of_another_account_takes_it_over(users: Users) -> None:
    asha, ravi = users.customer(), users.customer()
    asha.post("/me/push_subscriptions", json=body())
    ravi.post("/me/push_subscriptions", json=body())
    assert asha.get("/me/push_subscriptions").json["items"] == []
    assert len(ravi.get("/me/push_subscriptions").json["items"]) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://example.com/push",
        "http://fcm.googleapis.com/push",
        "https://fcm.googleapis.com:8443/push",
        "https://evilpush.apple.com/x",
        "https://push.apple.com.evil.example/x",
        "https://127.0.0.1/push",
        "https://user:secret@fcm.googleapis.com/push",
        "fcm.googleapis.com",
    ],
)
def test_subscribe_with_service_not_allowed_names_the_field(users: Users, endpoint: str) -> None:
    answer = users.customer().post("/me/push_subscriptions", json=body(endpoint))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["endpoint"])


@pytest.mark.parametrize(
    "endpoint", ["https://web.push.apple.com/x", "https://wns2-pn1p.notify.windows.com/w/?token=a"]
)
def test_subscribe_with_known_service_is_accepted(users: Users, endpoint: str) -> None:
    assert users.customer().post("/me/push_subscriptions", json=body(endpoint)).status_code == 201


@pytest.mark.parametrize(("field", "value"), [("p256dh", "AAAA"), ("auth", "AAAA")])
def test_subscribe_with_wrong_keys_names_the_field(users: Users, field: str, value: str) -> None:
    wrong = {"endpoint": ALLOWED, "keys": {**Browser().keys, field: value}}
    answer = users.customer().post("/me/push_subscriptions", json=wrong)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [f"keys.{field}"])


def test_remove_device_of_another_account_is_not_found(users: Users) -> None:
    asha = users.customer()
    device = asha.post("/me/push_subscriptions", json=body()).json["id"]
    assert users.customer().delete(f"/me/push_subscriptions/{device}").status_code == 404
    assert asha.delete(f"/me/push_subscriptions/{device}").status_code == 204
    assert asha.delete(f"/me/push_subscriptions/{device}").status_code == 404


def test_subscribe_beyond_limit_removes_the_oldest(users: Users) -> None:
    asha = users.customer()
    made = [asha.post("/me/push_subscriptions", json=body(f"{ALLOWED}{n}")).json["id"] for n in range(12)]
    items = asha.get("/me/push_subscriptions").json["items"]
    assert [item["id"] for item in items] == made[:1:-1]


def test_subscribe_same_browser_concurrently_keeps_one_device(users: Users) -> None:
    asha = users.customer()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: asha.post("/me/push_subscriptions", json=body()).status_code, range(8)))
    assert answers == [201] * 8
    assert len(asha.get("/me/push_subscriptions").json["items"]) == 1


def test_preferences_name_why_push_is_unavailable(users: Users) -> None:
    asha = users.customer()
    assert asha.get("/me/preferences").json["unavailable"]["push"]["code"] == "no_push_device"
    asha.post("/me/push_subscriptions", json=body())
    assert "push" not in asha.get("/me/preferences").json["unavailable"]
    assert asha.put("/me/preferences", json={"channels": ["push", "mail"]}).json["channels"] == ["push", "mail"]


@pytest.fixture
def without_push(app: Flask, settings: Settings) -> Iterator[Flask]:
    made = create_app(replace(settings, push_allowed_hosts=()))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


def test_push_without_allowed_services_is_not_offered(without_push: Flask) -> None:
    asha = Users(without_push).customer()
    for answer in (asha.get("/me/push_key"), asha.post("/me/push_subscriptions", json=body())):
        assert (answer.status_code, answer.json["code"]) == (409, "push_not_set_up")
    assert asha.get("/me/preferences").json["unavailable"]["push"]["code"] == "push_not_set_up"


def test_device_after_another_sign_in_belongs_to_the_new_session(users: Users) -> None:
    asha = users.customer()
    asha.post("/me/push_subscriptions", json=body())
    again = users.sign_in(asha.username)
    assert again.get("/me/push_subscriptions").json["items"][0]["current"] == 0
    assert again.post("/me/push_subscriptions", json=body()).json["current"] == 1
