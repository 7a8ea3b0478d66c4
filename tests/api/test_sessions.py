"""Sessions over HTTP: sign-in, token refresh, sign-out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from backend.core.db.session import db
from backend.core.security import password_hashing
from backend.core.security.password_hashing import BoundedPasswordHasher
from backend.domain.accounts.models import Account
from tests.factories.users import PASSWORD, Users, Visitor

GOOD: dict[str, Any] = {"password": PASSWORD}
CSRF = "csrf_refresh_token"


def claims(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


def refresh_by_cookie(browser: Visitor) -> Any:
    cookie = browser.client.get_cookie(CSRF)
    return browser.post("/token/refresh", headers={"X-CSRF-TOKEN": cookie.decoded_value if cookie else ""})


def refresh_by_token(visitor: Visitor, token: str) -> Any:
    return visitor.post("/token/refresh", headers={"Authorization": f"Bearer {token}"})


def test_sign_in_by_username_or_email_returns_tokens_for_each_role(users: Users) -> None:
    for user in (users.customer(), users.professional(approved=False), users.admin()):
        for name in (user.username.upper(), f" {user.username}@EXAMPLE.org "):
            answer = users.visitor().post("/check", {"username": name, **GOOD, "client": "api"})
            assert answer.status_code == 200, answer.json
            assert (answer.json["role"], answer.json["user"]["id"]) == (user.role, user.id)
            assert answer.json["token_type"] == "Bearer"
            assert answer.headers["Cache-Control"] == "no-store"
            known = claims(answer.json["access_token"])
            assert (known["sub"], known["role"]) == (str(user.id), user.role)


def test_sign_in_with_unknown_username_responds_as_with_wrong_password(users: Users) -> None:
    asha = users.customer()
    wrong = users.visitor().post("/check", {"username": asha.username, "password": "not this one"})
    nobody = users.visitor().post("/check", {"username": "nobody.at.all", "password": "not this one"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json == nobody.json
    assert wrong.json["code"] == "invalid_credentials"
    assert wrong.headers["WWW-Authenticate"]


MALFORMED: list[dict[str, Any]] = [
    {},
    {"username": "a"},
    {"username": 5, "password": "x"},
    {"username": "a\0", "password": "x"},
    {"username": "a", "password": "x" * 1025},
    {"username": "a", "password": "x", "client": "phone"},
]


@pytest.mark.parametrize("body", MALFORMED)
def test_sign_in_with_malformed_body_returns_422(users: Users, body: dict[str, Any]) -> None:
    assert users.visitor().post("/check", body).status_code == 422


def test_sign_in_of_browser_returns_refresh_token_only_as_cookie(users: Users) -> None:
    asha, browser = users.customer(), users.visitor()
    answer = browser.post("/check", {"username": asha.username, **GOOD})
    assert "refresh_token" not in answer.json
    cookies = answer.headers.getlist("Set-Cookie")
    refresh = next(one for one in cookies if one.startswith("refresh_token_cookie="))
    assert "HttpOnly" in refresh
    assert "SameSite=Strict" in refresh
    lives = {int(one.partition("Max-Age=")[2].partition(";")[0]) for one in cookies if "refresh_token" in one}
    assert all(0 <= 30 * 86400 - life < 60 for life in lives), "a cookie lives no longer than its session"
    assert browser.post("/token/refresh").status_code == 401, "the cookie alone is not enough"
    fresh = refresh_by_cookie(browser)
    assert fresh.status_code == 200
    assert fresh.json["user"]["id"] == asha.id


def test_refresh_token_is_rotated_and_reuse_after_grace_ends_session(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC)) as traveller:
        first = visitor.post("/check", {"username": asha.username, **GOOD, "client": "api"}).json
        second = refresh_by_token(visitor, first["refresh_token"]).json
        assert second["refresh_token"] != first["refresh_token"]
        traveller.shift(29)
        tab = refresh_by_token(visitor, first["refresh_token"])
        assert tab.status_code == 200, "within the grace period, for lost responses and second tabs"
        assert claims(tab.json["refresh_token"])["jti"] == claims(second["refresh_token"])["jti"]
        traveller.shift(2)
        reused = refresh_by_token(visitor, first["refresh_token"])
        assert (reused.status_code, reused.json["code"]) == (401, "session_ended")
        assert refresh_by_token(visitor, second["refresh_token"]).status_code == 401
        visitor.token = second["access_token"]
        assert visitor.get("/me").status_code == 401


def test_session_ends_at_maximum_lifetime_despite_use(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    start = datetime(2026, 12, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as traveller:
        tokens = visitor.post("/check", {"username": asha.username, **GOOD, "client": "api"}).json
        for _ in range(4):
            traveller.shift(timedelta(days=20))
            answer = refresh_by_token(visitor, tokens["refresh_token"])
            assert answer.status_code == 200
            tokens = answer.json
        visitor.token = tokens["access_token"]
        ends = {one["expires_at"] for one in visitor.get("/me/sessions").json["items"]}
        assert max(ends) == (start + timedelta(days=90)).isoformat()
        traveller.shift(timedelta(days=10))
        over = refresh_by_token(visitor, tokens["refresh_token"])
        assert (over.status_code, over.json["code"]) == (401, "session_ended")


def test_access_and_refresh_tokens_are_not_interchangeable(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    tokens = visitor.post("/check", {"username": asha.username, **GOOD, "client": "api"}).json
    assert refresh_by_token(visitor, tokens["access_token"]).status_code == 401
    visitor.token = tokens["refresh_token"]
    assert visitor.get("/me").status_code == 401


def test_invalid_token_returns_401_with_www_authenticate(users: Users) -> None:
    asha = users.customer()
    good = str(asha.token)
    none = jwt.encode(claims(good), key="", algorithm="none")
    forged = jwt.encode(claims(good), key="some other key that is long enough", algorithm="HS256")
    for bad in ("", "x", "a.b.c", good[:-2], none, forged, "ü", f"{good} {good}"):
        answer = users.visitor().get("/me", headers={"Authorization": f"Bearer {bad}".encode().decode("latin-1")})
        assert (answer.status_code, bool(answer.headers["WWW-Authenticate"])) == (401, True), bad
    assert users.visitor().get("/me", headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert users.visitor().get("/me").status_code == 401


def test_expired_access_token_returns_401(users: Users) -> None:
    asha = users.customer()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        assert asha.get("/me").status_code == 401


def test_logout_invalidates_access_and_refresh_tokens(users: Users) -> None:
    asha, visitor = users.customer(), users.visitor()
    tokens = visitor.post("/check", {"username": asha.username, **GOOD, "client": "api"}).json
    visitor.token = tokens["access_token"]
    assert visitor.post("/logout").status_code == 204
    assert visitor.get("/me").status_code == 401
    visitor.token = None
    assert refresh_by_token(visitor, tokens["refresh_token"]).status_code == 401
    assert asha.get("/me").status_code == 200, "the other session stays valid"


@pytest.mark.parametrize("path", ["/logout", "/logout/everywhere"])
def test_logout_sends_clear_site_data_for_cache(users: Users, path: str) -> None:
    assert users.customer().post(path).headers["Clear-Site-Data"] == '"cache"'


def test_sessions_list_marks_current_and_delete_ends_one(users: Users) -> None:
    asha, other = users.customer(), users.customer()
    second = users.sign_in(asha.username)
    items = asha.get("/me/sessions").json["items"]
    assert [one["current"] for one in items] == [0, 1]
    assert other.delete(f"/me/sessions/{items[0]['id']}").status_code == 404
    assert asha.delete("/me/sessions/no-such-id").status_code == 404
    assert asha.delete(f"/me/sessions/{items[0]['id']}").status_code == 204
    assert second.get("/me").status_code == 401
    assert asha.get("/me").status_code == 200
    assert asha.delete(f"/me/sessions/{items[0]['id']}").status_code == 404


def test_sessions_list_is_paginated_without_repeats(users: Users) -> None:
    asha = users.customer()
    for _ in range(4):
        users.sign_in(asha.username)
    first = asha.get("/me/sessions?limit=3").json
    rest = asha.get(f"/me/sessions?limit=3&cursor={first['next_cursor']}").json
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert (len(ids), len(set(ids)), rest["next_cursor"]) == (5, 5, None)


def test_logout_everywhere_ends_all_sessions(users: Users) -> None:
    asha = users.customer()
    second = users.sign_in(asha.username)
    assert second.post("/logout/everywhere").status_code == 204
    assert asha.get("/me").status_code == second.get("/me").status_code == 401


def test_sign_in_with_outdated_hash_parameters_rehashes_password(users: Users) -> None:
    asha = users.customer()
    account = db.session.get_one(Account, asha.id)
    old = BoundedPasswordHasher(memory_kib=16, time_cost=2, parallelism=1).hash(PASSWORD)
    account.password_hash = old
    db.session.commit()
    users.sign_in(asha.username)
    db.session.refresh(account)
    assert account.password_hash != old
    assert not password_hashing.current_hasher().is_outdated(account.password_hash)


def test_last_seen_is_updated_at_most_every_few_minutes(users: Users) -> None:
    asha = users.customer()
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as traveller:
        asha.get("/me")
        seen = _last_seen(asha.id)
        traveller.shift(60)
        asha.get("/me")
        assert _last_seen(asha.id) == seen, "at most one write within some minutes"
        traveller.shift(300)
        asha.get("/me")
        assert _last_seen(asha.id) == start + timedelta(seconds=360)


def _last_seen(account_id: int) -> datetime | None:
    db.session.expire_all()
    return db.session.get_one(Account, account_id).last_seen_at


def test_refresh_of_blocked_account_is_rejected_and_clears_cookies(users: Users) -> None:
    asha, browser = users.customer(), users.visitor()
    browser.post("/check", {"username": asha.username, "password": PASSWORD})
    csrf = browser.client.get_cookie("csrf_refresh_token")
    assert csrf is not None
    assert users.admin().post(f"/users/{asha.id}/block", {"reason": "other"}).status_code == 200
    answer = browser.post("/token/refresh", headers={"X-CSRF-TOKEN": csrf.value})
    assert (answer.status_code, answer.json["code"]) == (403, "account_blocked")
    assert browser.client.get_cookie("csrf_refresh_token") is None
    assert browser.client.get_cookie("refresh_token_cookie", path="/token/refresh") is None
