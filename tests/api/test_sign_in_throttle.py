"""Throttling of failed sign-ins, known devices, and password confirmation in a session."""

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from backend.core.concurrency import FairSemaphore
from backend.core.db.session import transaction
from backend.domain.accounts import links, queries, throttle
from tests.factories.users import PASSWORD, User, Users, Visitor

WRONG = "not this one"


def attempt(users: Users, name: str, password: str = WRONG, *, address: str = "192.0.2.1") -> Any:
    body = {"username": name, "password": password}
    return users.visitor().post("/check", body, environ_overrides={"REMOTE_ADDR": address})


def test_sign_in_after_ten_failures_from_one_address_is_throttled_for_15_minutes(users: Users) -> None:
    asha = users.customer()
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC), tick=False) as traveller:
        names = [asha.username, f"{asha.username}@example.org", asha.username.upper()]
        codes = [attempt(users, names[number % 3]).status_code for number in range(10)]
        assert codes == [401] * 10
        answer = attempt(users, asha.username, PASSWORD)
        assert (answer.status_code, answer.json["code"]) == (429, "too_many_tries")
        assert int(answer.headers["Retry-After"]) == 900
        assert attempt(users, asha.username, PASSWORD, address="192.0.2.2").status_code == 200
        traveller.shift(899)
        assert attempt(users, asha.username, PASSWORD).status_code == 429
        traveller.shift(2)
        assert attempt(users, asha.username, PASSWORD).status_code == 200


def test_sign_in_failures_are_not_reset_by_correct_password(users: Users) -> None:
    asha = users.customer()
    for _ in range(9):
        attempt(users, asha.username)
    assert attempt(users, asha.username, PASSWORD).status_code == 200
    assert attempt(users, asha.username).status_code == 401
    assert attempt(users, asha.username, PASSWORD).status_code == 429


def test_sign_in_with_unknown_username_is_throttled_alike(users: Users) -> None:
    codes = [attempt(users, "nobody.at.all").status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_sign_in_after_fifty_failures_from_any_address_is_throttled(users: Users) -> None:
    asha = users.customer()
    for number in range(50):
        assert attempt(users, asha.username, address=f"192.0.2.{number}").status_code == 401
    assert attempt(users, asha.username, PASSWORD, address="198.51.100.1").status_code == 429


def test_sign_in_after_hundred_failures_of_one_address_is_throttled(users: Users) -> None:
    asha = users.customer()
    for number in range(100):
        assert attempt(users, f"someone{number}").status_code == 401
    assert attempt(users, asha.username, PASSWORD).status_code == 429
    assert attempt(users, asha.username, PASSWORD, address="192.0.2.2").status_code == 200


def test_sign_in_failures_concurrently_do_not_exceed_limit(users: Users, app: Flask) -> None:
    asha = users.customer()
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: attempt(users, asha.username).status_code, range(24)))
    assert sorted(codes) == [401] * 10 + [429] * 14


def test_sign_in_with_full_hash_queue_returns_503_at_once(
    users: Users, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = users.customer()
    full = FairSemaphore(1, most=1)
    monkeypatch.setattr(app.extensions["passwords"], "queue", full)
    with full.acquire(error="the queue was empty"):
        answer = attempt(users, asha.username, PASSWORD)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "5"
        assert asha.get("/me").status_code == 200
    assert attempt(users, asha.username, PASSWORD).status_code == 200


def test_sign_in_failures_are_counted_per_ipv6_64_network(users: Users) -> None:
    for number in range(100):
        address = f"2001:db8:1:2:{number:x}::1"
        assert attempt(users, f"someone{number}", address=address).status_code == 401
    assert attempt(users, "someone", address="2001:db8:1:2:ffff::1").status_code == 429
    assert attempt(users, "someone", address="2001:db8:1:3::1").status_code == 401


def test_sign_in_failures_of_account_are_counted_per_ipv6_64_network(users: Users) -> None:
    asha = users.customer()
    codes = [attempt(users, asha.username, address=f"2001:db8::{number:x}").status_code for number in range(11)]
    assert codes == [401] * 10 + [429]
    assert attempt(users, asha.username, PASSWORD, address="2001:db8:0:1::1").status_code == 200


def test_sign_in_failures_of_ipv6_48_network_have_tenfold_limit(
    users: Users, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    few = dataclasses.replace(app.extensions["settings"], login_failures_per_address=2)
    monkeypatch.setitem(app.extensions, "settings", few)
    for number in range(20):
        assert attempt(users, f"someone{number}", address=f"2001:db8:1:{number:x}::1").status_code == 401
    assert attempt(users, "someone", address="2001:db8:1:ffff::1").status_code == 429
    assert attempt(users, "someone", address="2001:db8:2::1").status_code == 401


def test_sign_in_failures_of_ipv4_mapped_address_are_counted_as_ipv4(users: Users) -> None:
    asha = users.customer()
    codes = [attempt(users, asha.username, address=f"{'::ffff:' * (n % 2)}192.0.2.9").status_code for n in range(11)]
    assert codes == [401] * 10 + [429]
    assert attempt(users, asha.username, PASSWORD, address="::ffff:192.0.2.10").status_code == 200


def lock(users: Users, name: str) -> None:
    """Fail from many addresses until the account is locked for unknown devices."""
    for number in range(50):
        attempt(users, name, address=f"198.51.100.{number}")
    assert attempt(users, name, PASSWORD, address="203.0.113.1").status_code == 429


def sign_in_with(device: Visitor, name: str, password: str = PASSWORD, *, address: str = "203.0.113.1") -> Any:
    body = {"username": name, "password": password}
    return device.post("/check", body, environ_overrides={"REMOTE_ADDR": address})


def test_known_device_signs_in_to_locked_account_within_its_own_limit(users: Users) -> None:
    asha, device = users.customer(), users.visitor()
    cookie = sign_in_with(device, asha.username).headers.getlist("Set-Cookie")[-1]
    assert re.fullmatch(
        r"doorstep_device=[^;]+; Expires=[^;]+; Max-Age=15552000; HttpOnly; Path=/check; SameSite=Strict", cookie
    )
    lock(users, asha.username)
    assert sign_in_with(device, asha.username).status_code == 200
    codes = [sign_in_with(device, asha.username, WRONG, address=f"203.0.113.{n}").status_code for n in range(10)]
    assert codes == [401] * 10
    assert sign_in_with(device, asha.username).status_code == 429, "a known device has its own limit"


def test_known_device_failures_do_not_throttle_other_devices(users: Users) -> None:
    asha, device = users.customer(), users.visitor()
    sign_in_with(device, asha.username)
    for _ in range(10):
        sign_in_with(device, asha.username, WRONG)
    assert attempt(users, asha.username, PASSWORD, address="203.0.113.1").status_code == 200


def test_known_device_is_recognised_only_for_its_accounts(users: Users) -> None:
    asha, ravi, device = users.customer(), users.customer(), users.visitor()
    sign_in_with(device, ravi.username)
    lock(users, asha.username)
    assert sign_in_with(device, asha.username).status_code == 429
    sign_in_with(device, ravi.username)
    lock(users, ravi.username)
    assert sign_in_with(device, ravi.username).status_code == 200


def test_known_device_is_recognised_for_two_accounts(users: Users) -> None:
    asha, ravi, device = users.customer(), users.customer(), users.visitor()
    for user in (asha, ravi):
        sign_in_with(device, user.username)
    for user in (asha, ravi):
        lock(users, user.username)
        assert sign_in_with(device, user.username).status_code == 200


@pytest.mark.parametrize(
    "forgery", ["", "x", "~~~", "{id}.device.1.x", "{id}.a.b.c.d", "{id}.device.9999999999.QUJD", "\u00e9"]
)
def test_forged_device_cookie_is_not_recognised(users: Users, forgery: str) -> None:
    asha, device = users.customer(), users.visitor()
    lock(users, asha.username)
    device.client.set_cookie("doorstep_device", forgery.format(id=asha.id), path="/check")
    assert sign_in_with(device, asha.username).status_code == 429


def test_known_device_is_forgotten_after_half_a_year(users: Users) -> None:
    asha = users.customer()
    cookie = throttle.remember(None, asha.id)
    assert throttle.recognised(cookie, asha.id)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=181)):
        assert throttle.recognised(cookie, asha.id) is None


def test_sign_in_of_api_client_sets_no_device_cookie(users: Users) -> None:
    asha = users.customer()
    body = {"username": asha.username, "password": PASSWORD, "client": "api"}
    assert "Set-Cookie" not in users.visitor().post("/check", body).headers


def test_reset_password_clears_failures_and_remembers_device(users: Users) -> None:
    asha, device = users.customer(), users.visitor()
    lock(users, asha.username)
    with transaction():
        account = queries.by_login(asha.username)
        assert account is not None
        link = links.make(account, "password_reset", life=timedelta(hours=1))
    body = {"token": str(link).partition("token=")[2], "password": "quite another passphrase"}
    assert device.post("/password/reset", body).status_code == 204
    assert attempt(users, asha.username, body["password"], address="203.0.113.7").status_code == 200
    lock(users, asha.username)
    assert sign_in_with(device, asha.username, body["password"]).status_code == 200, (
        "the device that reset the password is known now"
    )


def confirm_password(who: User, call: str, password: str = PASSWORD, *, address: str = "203.0.113.1") -> Any:
    body = {"password": password}
    if call == "password":
        body = {"current_password": password, "password": "quite another passphrase"}
    return who.post(f"/me/{call}", body, environ_overrides={"REMOTE_ADDR": address})


CONFIRMATIONS = ["password", "confirm-password"]


@pytest.mark.parametrize("call", CONFIRMATIONS)
def test_password_confirmation_in_session_works_for_locked_account(users: Users, call: str) -> None:
    asha = users.customer()
    lock(users, asha.username)
    assert confirm_password(asha, call).status_code == 204


@pytest.mark.parametrize("call", CONFIRMATIONS)
def test_password_confirmation_in_session_works_from_throttled_address(users: Users, call: str) -> None:
    asha = users.customer()
    for number in range(100):
        attempt(users, f"someone{number}", address="203.0.113.1")
    assert attempt(users, asha.username, PASSWORD, address="203.0.113.1").status_code == 429
    assert confirm_password(asha, call).status_code == 204


@pytest.mark.parametrize("call", CONFIRMATIONS)
def test_password_confirmation_in_session_is_limited_to_ten_failures(users: Users, call: str) -> None:
    asha = users.customer()
    other_call = CONFIRMATIONS[1 - CONFIRMATIONS.index(call)]
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        codes = [
            confirm_password(asha, call, WRONG, address=f"198.51.100.{number}").status_code for number in range(10)
        ]
        assert codes == [422] * 10
        refused = confirm_password(asha, call, address="198.51.100.200")
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_tries"), "even with the correct password"
        assert confirm_password(asha, other_call).status_code == 429, (
            "one count for all calls that ask for the password"
        )
        assert int(refused.headers["Retry-After"]) == 900
        traveller.shift(901)
        renewed = users.sign_in(asha.username)
        assert confirm_password(renewed, call).status_code == 204


@pytest.mark.parametrize("call", CONFIRMATIONS)
def test_password_confirmation_failures_do_not_affect_other_sessions(users: Users, call: str) -> None:
    asha = users.customer()
    own, stolen = users.sign_in(asha.username), users.sign_in(asha.username)
    for _ in range(10):
        confirm_password(stolen, call, WRONG)
    assert confirm_password(stolen, call, WRONG).status_code == 429
    assert attempt(users, asha.username, PASSWORD, address="203.0.113.1").status_code == 200
    assert confirm_password(own, call).status_code == 204


@pytest.mark.parametrize("call", CONFIRMATIONS)
def test_password_confirmation_failures_concurrently_do_not_exceed_limit(users: Users, app: Flask, call: str) -> None:
    asha = users.customer()
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: confirm_password(asha, call, WRONG).status_code, range(24)))
    assert sorted(codes) == [422] * 10 + [429] * 14
