"""Phone verification: a code by SMS, limits on attempts and codes, and its loss when the number changes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.domain.accounts import phones
from backend.settings import Settings
from tests.factories.jobs import deliveries, work
from tests.factories.servers import WebServer
from tests.factories.users import User, Users

PHONE = "+919876543210"


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def texting(app: Flask, settings: Settings, web: WebServer) -> Iterator[Flask]:
    """The application with an SMS gateway."""
    made = create_app(replace(settings, sms_url=f"json://127.0.0.1:{web.port}/sms/{{phone}}"))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def asha(texting: Flask) -> User:
    return Users(texting).customer(phone=PHONE)


def code_sent(user: User, web: WebServer) -> str:
    """Request a code and return it as read from the SMS."""
    later()
    answer = user.post("/me/phone/code")
    assert answer.status_code == 202, answer.json
    work()
    return str(re.findall(r"\b[0-9]{6}\b", web.posts[-1].body["message"])[0])


def later(seconds: float = 31) -> None:
    """Backdate all codes by this many seconds."""
    with transaction():
        statement = "UPDATE phone_codes SET created_at = created_at - make_interval(secs => :seconds)"
        db.session.execute(text(statement), {"seconds": seconds})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_phone_code_sent_by_sms_verifies_number(asha: User, web: WebServer) -> None:
    assert asha.get("/me").json["phone_verified"] == 0
    sent = asha.post("/me/phone/code")
    assert (sent.status_code, sent.json["phone"]) == (202, PHONE)
    work()
    (post,) = web.posts
    assert post.path == f"/sms/{PHONE}"
    found = re.fullmatch(
        r"([0-9]{6}) is your Doorstep code\. It is valid for 10 minutes\. Do not share it\.", post.body["message"]
    )
    assert found
    done = asha.post("/me/phone/confirm", {"code": found[1]})
    assert (done.status_code, done.json["phone_verified"]) == (200, 1)
    assert asha.post("/me/phone/code").json["code"] == "already_verified"
    assert asha.post("/me/phone/confirm", {"code": found[1]}).json["code"] == "code_expired"


def test_phone_code_is_not_stored_in_plain_text(asha: User, web: WebServer) -> None:
    code = code_sent(asha, web)
    assert deliveries(kind="phone_code")[0].params == {}
    row = db.session.execute(text("SELECT row_to_json(c)::text FROM phone_codes c")).scalar_one()
    assert code not in row


def test_phone_change_resets_verification(asha: User, web: WebServer) -> None:
    asha.post("/me/phone/confirm", {"code": code_sent(asha, web)})
    assert asha.patch("/me", {"phone": PHONE, "firstname": "Asha"}).json["phone_verified"] == 1
    assert asha.patch("/me", {"phone": "+919876500000"}).json["phone_verified"] == 0


def test_phone_code_for_previous_number_is_invalid(asha: User, web: WebServer) -> None:
    code = code_sent(asha, web)
    asha.patch("/me", {"phone": "+919876500000"})
    assert asha.post("/me/phone/confirm", {"code": code}).json["code"] == "code_expired"
    assert asha.get("/me").json["phone_verified"] == 0


def test_phone_code_guesses_are_limited_also_when_concurrent(texting: Flask, asha: User, web: WebServer) -> None:
    code = code_sent(asha, web)

    def guess(_: int) -> Any:
        client = texting.test_client()
        headers = {"Authorization": f"Bearer {asha.token}"}
        return client.post("/me/phone/confirm", json={"code": wrong(code)}, headers=headers)

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(guess, range(12)))
    assert sorted(answer.json["code"] for answer in answers) == ["too_many_tries"] * 7 + ["wrong_code"] * 5
    right = asha.post("/me/phone/confirm", {"code": code})
    assert (right.status_code, right.json["code"]) == (429, "too_many_tries")
    assert int(right.headers["Retry-After"]) > 0
    assert asha.post("/me/phone/confirm", {"code": code_sent(asha, web)}).status_code == 200


def test_phone_code_is_invalid_after_newer_one_or_expiry(asha: User, web: WebServer) -> None:
    first = code_sent(asha, web)
    second = code_sent(asha, web)
    if first != second:
        assert asha.post("/me/phone/confirm", {"code": first}).json["code"] == "wrong_code"
    with transaction():
        db.session.execute(text("UPDATE phone_codes SET expires_at = now()"))
    assert asha.post("/me/phone/confirm", {"code": second}).json["code"] == "code_expired"


def test_phone_code_that_expired_before_delivery_is_not_sent(asha: User, web: WebServer) -> None:
    asha.post("/me/phone/code")
    with transaction():
        late = 'UPDATE deliveries SET params = params || \'{"valid_until": "2026-01-01T00:00:00+00:00"}\''
        db.session.execute(text(late))
    work()
    (delivery,) = deliveries(kind="phone_code")
    assert (web.posts, delivery.state, delivery.params) == ([], "failed", {})


def test_phone_codes_of_account_are_limited_per_hour(asha: User, web: WebServer) -> None:
    for _ in range(5):
        code_sent(asha, web)
    assert asha.post("/me/phone/code").status_code == 429, "at once after the last one"
    later()
    answer = asha.post("/me/phone/code")
    assert (answer.status_code, 3000 < int(answer.headers["Retry-After"]) <= 3600) == (429, True)


def test_phone_codes_of_number_are_limited_across_accounts(texting: Flask, web: WebServer) -> None:
    users = Users(texting)
    for _ in range(5):
        code_sent(users.customer(phone=PHONE), web)
    later()
    assert users.customer(phone=PHONE).post("/me/phone/code").status_code == 429
    assert users.customer(phone="+919876500000").post("/me/phone/code").status_code == 202


def test_phone_codes_of_address_are_limited_per_hour(texting: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "PER_ADDRESS", ((2, phones.HOUR),))
    users = Users(texting)
    answers = [users.customer(phone=f"+9198765432{n:02}").post("/me/phone/code").status_code for n in range(3)]
    assert answers == [202, 202, 429]


def test_phone_codes_requested_concurrently_do_not_exceed_limit(texting: Flask, asha: User) -> None:
    def ask(_: int) -> int:
        return (
            texting.test_client().post("/me/phone/code", headers={"Authorization": f"Bearer {asha.token}"}).status_code
        )

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(ask, range(8))) == [202] + [429] * 7


@pytest.mark.parametrize(
    ("phone", "code"),
    [(None, "no_phone"), ("+449098790123", "sms_not_available"), ("+911126534567", "sms_not_available")],
)
def test_phone_code_without_number_or_for_unsupported_country_is_rejected(
    texting: Flask, phone: str | None, code: str
) -> None:
    answer = Users(texting).customer(phone=phone).post("/me/phone/code")
    assert (answer.status_code, answer.json["code"]) == (409, code)


def test_phone_code_without_sms_gateway_is_rejected(users: Users) -> None:
    assert users.customer(phone=PHONE).post("/me/phone/code").json["code"] == "sms_not_set_up"


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "", None, 123456, "१२३४५६"])
def test_phone_confirm_with_malformed_code_names_the_field(asha: User, code: object) -> None:
    answer = asha.post("/me/phone/confirm", {"code": code})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["code"])


def test_preferences_with_unverified_phone_report_sms_unavailable(asha: User, web: WebServer) -> None:
    chosen = asha.put("/me/preferences", {"channels": ["sms"]}).json
    why = {"code": "phone_not_verified", "message": "The phone number is not verified."}
    assert chosen["unavailable"]["sms"] == why
    asha.post("/me/phone/confirm", {"code": code_sent(asha, web)})
    assert "sms" not in asha.get("/me/preferences").json["unavailable"]


def test_drop_old_codes_deletes_codes_after_a_day(asha: User, web: WebServer) -> None:
    code_sent(asha, web)
    later(25 * 3600)
    with transaction():
        assert phones.drop_old_codes() == 1
