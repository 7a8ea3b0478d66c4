"""Conditional requests: 304 for what the caller has, 412 for an edit of an outdated version."""

import pytest

from tests.factories.files import form, picture
from tests.factories.requests import RequestMarket
from tests.factories.users import User, Users


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


@pytest.fixture
def path(users: Users) -> str:
    return f"/tasks/{RequestMarket(users).task_id}"


def test_get_with_matching_if_none_match_returns_304(admin: User, path: str) -> None:
    first = admin.get(path)
    for header in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"other", {first.headers["ETag"]}', "*"):
        again = admin.get(path, headers={"If-None-Match": header})
        assert (again.status_code, again.data) == (304, b""), header
        assert "Content-Type" not in again.headers
        assert again.headers["ETag"] == first.headers["ETag"]


def test_get_with_outdated_if_none_match_returns_200(admin: User, path: str) -> None:
    first = admin.get(path)
    admin.patch(path, {"description": "Taps and pipes"})
    assert admin.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_patch_task_with_outdated_if_match_returns_stale(admin: User, users: Users, path: str) -> None:
    tag = {"If-Match": admin.get(path).headers["ETag"]}
    assert users.admin().patch(path, {"base_price": "599.00"}, headers=tag).status_code == 200
    late = admin.patch(path, {"base_price": "699.00"}, headers=tag)
    assert (late.status_code, late.json["code"]) == (412, "stale")
    assert admin.get(path).json["base_price"] == "599.00"


def test_patch_task_response_carries_etag_for_next_edit(admin: User, path: str) -> None:
    tag = admin.get(path).headers["ETag"]
    for price in ("600.00", "601.00"):
        answer = admin.patch(path, {"base_price": price}, headers={"If-Match": tag})
        assert answer.status_code == 200
        tag = answer.headers["ETag"]


@pytest.mark.parametrize(
    "header", ['"nonsense"', '"v"', '"v999-0"', '"v\u0661-0"'.encode().decode("latin-1"), "nonsense"]
)
def test_patch_task_with_foreign_if_match_returns_412(admin: User, path: str, header: str) -> None:
    assert admin.patch(path, {"base_price": "1.00"}, headers={"If-Match": header}).status_code == 412


def test_patch_task_with_if_match_star_is_accepted(admin: User, path: str) -> None:
    assert admin.patch(path, {"base_price": "1.00"}, headers={"If-Match": "*"}).status_code == 200


def test_patch_me_with_outdated_if_match_returns_412(users: Users) -> None:
    asha = users.customer()
    tag = {"If-Match": asha.get("/me").headers["ETag"]}
    assert asha.patch("/me", {"address": "14 MG Road"}, headers=tag).status_code == 200
    assert asha.patch("/me", {"address": "15 MG Road"}, headers=tag).status_code == 412


def test_private_responses_are_no_store_and_carry_etag(admin: User, path: str) -> None:
    for private in ("/me", "/customers", "/professionals", "/requests", "/audit", "/notifications"):
        answer = admin.get(private)
        assert answer.headers["Cache-Control"] == "private, no-store", "a browser would keep it on disk"
        assert "ETag" in answer.headers, "an edit still names what it read"
    assert (
        admin.post("/check", {"username": admin.username, "password": "wrong"}).headers["Cache-Control"] == "no-store"
    )


WHOLE = {
    "/me/preferences": ({"channels": ["sms"], "kinds": {"report": [], "approved": []}}, {"channels": ["mail"]}),
    "/me/hours": (
        {"weekly": [{"weekday": 0, "from": "09:00", "to": "12:00"}], "exceptions": []},
        {"weekly": [], "exceptions": []},
    ),
}


@pytest.mark.parametrize("path", WHOLE)
def test_put_preferences_and_hours_with_outdated_if_match_return_stale(users: Users, path: str) -> None:
    ravi, (one, other) = users.professional(), WHOLE[path]
    tag = {"If-Match": ravi.get(path).headers["ETag"]}
    answer = ravi.put(path, one, headers=tag)
    assert answer.status_code == 200, answer.json
    late = ravi.put(path, other, headers=tag)
    assert (late.status_code, late.json["code"]) == (412, "stale")
    assert ravi.put(path, other, headers={"If-Match": answer.headers["ETag"]}).status_code == 200


def test_put_task_policy_with_outdated_if_match_returns_412(admin: User, path: str) -> None:
    tag = {"If-Match": admin.get(f"{path}/policy").headers["ETag"]}
    assert admin.put(f"{path}/policy", {"min_notice_minutes": 60}, headers=tag).status_code == 200
    assert admin.put(f"{path}/policy", {"min_notice_minutes": 90}, headers=tag).status_code == 412


def test_put_document_with_outdated_if_match_returns_412(users: Users) -> None:
    ravi = users.professional()
    tag = {"If-Match": ravi.get("/me").headers["ETag"]}
    assert ravi.put("/me/document", headers=tag, **form(picture())).status_code == 200
    assert ravi.put("/me/document", headers=tag, **form(picture())).status_code == 412
