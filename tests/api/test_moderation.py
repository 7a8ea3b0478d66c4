"""Account lists, account details, blocking and creation of admins, over HTTP."""

from typing import Any

import pytest
from sqlalchemy import select, text

from backend.core.db.session import db
from backend.domain.notifications.models import Notification
from tests.factories.files import form, picture
from tests.factories.queries import count_queries
from tests.factories.users import PASSWORD, User, Users


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [one["username"] for one in answer.json["items"]]


def kinds_for(user: User) -> list[str]:
    db.session.rollback()
    return list(db.session.execute(select(Notification.kind).where(Notification.account_id == user.id)).scalars())


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


def test_professionals_search_finds_matches_despite_typos(users: Users, admin: User) -> None:
    users.professional(username="ramesh", firstname="Ramesh", lastname="Sharma", compname="Cool Air Works")
    users.professional(username="sunita", firstname="Sunita", lastname="Iyer", compname="Brightline Plumbing",
                        phone="+919876543210", email="sunita@brightline.example")  # fmt: skip
    users.professional(username="jose", firstname="José", lastname="D'Souza", compname="पानी वाला", approved=False)
    for q, expected in {
        "Ramsh": "ramesh", "sharna": "ramesh", "cool ar works": "ramesh", "RAMESH": "ramesh",
        "brightlin": "sunita", "plumer": "sunita", "98765 43210": "sunita", "sunita@brightline": "sunita",
        "Jose": "jose", "dsouza": "jose", "पानी": "jose",
    }.items():  # fmt: skip
        assert names(admin.get("/professionals", query_string={"q": q}))[:1] == [expected], q
    for q in ("100%", "_", "zzzzqqq", "' 1=1 --", "\\", "*"):
        assert names(admin.get("/professionals", query_string={"q": q})) == [], q
    assert admin.get("/professionals", query_string={"q": "a\0b"}).status_code == 422
    assert admin.get("/professionals", query_string={"q": "x" * 101}).status_code == 422


def test_professionals_list_is_filtered_and_sorted(users: Users, admin: User) -> None:
    one = users.professional(username="one", pincode="110001")
    two = users.professional(username="two", pincodes=["110001"])
    users.professional(username="three", approved=False)
    for user, count, total in ((one, 2, 9), (two, 1, 3)):
        rating = text("UPDATE professionals SET rating_count = :count, rating_sum = :total WHERE account_id = :id")
        db.session.execute(rating, {"count": count, "total": total, "id": user.id})
    db.session.commit()
    assert names(admin.get("/professionals")) == ["three", "two", "one"]
    assert names(admin.get("/professionals?sort=rating")) == ["one", "two", "three"]
    assert names(admin.get("/professionals?pincode=110001")) == ["two", "one"]
    assert names(admin.get("/professionals?approval=approved")) == ["two", "one"]
    assert names(admin.get("/professionals?approval=document_missing")) == ["three"]
    assert names(admin.get("/professionals?min_rating=4")) == ["one"]
    assert names(admin.get("/professionals?max_rating=3")) == ["two"]
    admin.post(f"/users/{one.id}/block", {"reason": "fraud"})
    assert names(admin.get("/professionals?blocked=1")) == ["one"]
    assert names(admin.get("/professionals?blocked=false")) == ["three", "two"]
    for wrong in ("approval=maybe", "min_rating=six", "min_rating=NaN", "sort=age", "task_id=0", "pincode=12", "age=3",
                  "limit=0", "limit=101", "limit=٣", "cursor=mine", "blocked=2"):  # fmt: skip
        assert admin.get(f"/professionals?{wrong}").status_code == 422, wrong


LISTS = [
    "/professionals",
    "/professionals?sort=name",
    "/professionals?sort=rating",
    "/professionals?sort=waiting",
    "/professionals?q=rao",
    "/customers",
    "/customers?sort=name",
    "/customers?q=rao",
]
COUNTED = [
    "/professionals?limit=100",
    "/professionals?limit=100&q=rao",
    "/customers?limit=100",
    "/customers?limit=100&q=rao",
    "/audit?limit=100",
]


@pytest.mark.parametrize("path", LISTS)
def test_account_lists_across_pages_have_no_gaps_or_repeats(users: Users, admin: User, path: str) -> None:
    for _ in range(7):
        users.professional(approved=False)
        users.customer()
    join = "&" if "?" in path else "?"
    found: list[str] = []
    following = ""
    for _ in range(4):
        answer = admin.get(f"{path}{join}limit=2{following}")
        found += names(answer)
        assert ("Link" in answer.headers) == (answer.json["next_cursor"] is not None)
        following = f"&cursor={answer.json['next_cursor']}"
    assert len(found) == len(set(found)) == 7
    assert answer.json["next_cursor"] is None


@pytest.mark.parametrize("path", COUNTED)
def test_account_lists_run_same_number_of_queries_for_few_and_many_rows(users: Users, admin: User, path: str) -> None:
    def measure() -> tuple[int, int]:
        for _ in range(2):  # the first calls of an hour note what an admin read
            admin.get(path)
        with count_queries() as seen:
            items = admin.get(path).json["items"]
        return len(items), seen.number

    users.customer()
    users.professional()
    few = measure()
    for _ in range(25):
        users.customer()
        users.professional()
    many = measure()
    assert many[0] >= 25 > few[0]
    assert few[1] == many[1] <= 4


def test_account_details_hold_statistics_history_and_allowed_actions(users: Users, admin: User) -> None:
    ravi, asha = users.professional(approved=False), users.customer()
    ravi.put("/me/document", **form(picture()))
    admin.post(f"/professionals/{ravi.id}/approve")
    one = admin.get(f"/professionals/{ravi.id}")
    assert one.status_code == 200, one.json
    assert one.json["figures"]["closed"] == 0
    assert one.json["figures"]["value_closed"] == "0.00"
    assert [entry["action"] for entry in one.json["history"]] == ["professional_approved"]
    assert one.json["history"][0]["actor_username"] == admin.username
    assert one.json["document"]["pages"] == 1
    assert one.json["allowed_actions"] == ["block"]
    assert admin.get(f"/customers/{asha.id}").json["latest_reviews"] == []
    assert admin.get(f"/customers/{ravi.id}").status_code == 404
    assert admin.get(f"/professionals/{asha.id}").status_code == 404
    for wrong in ("0", "x", "9" * 30, "\uff11", "-1", "1.0"):
        assert admin.get(f"/professionals/{wrong}").status_code == 404


def test_block_rejects_next_calls_and_sign_ins_until_unblock(users: Users, admin: User) -> None:
    for user in (users.customer(), users.professional(), users.professional(approved=False)):
        tokens = users.visitor().post("/check", {"username": user.username, "password": PASSWORD, "client": "api"}).json
        answer = admin.post(f"/users/{user.id}/block", {"reason": "poor_reviews", "note": "Rated one star three times"})
        assert (answer.status_code, answer.json["isactive"]) == (200, 0), answer.json
        assert answer.json["blocked_reason"] == "poor_reviews"
        refresh = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        for refused in (
            user.get("/me"),
            user.patch("/me", {"firstname": "New"}),
            user.post("/logout"),
            users.visitor().post("/token/refresh", headers=refresh),
            users.visitor().post("/check", {"username": user.username, "password": PASSWORD}),
        ):
            assert (refused.status_code, refused.json["code"]) == (403, "account_blocked")
        wrong = users.visitor().post("/check", {"username": user.username, "password": "not this"})
        assert wrong.json["code"] == "invalid_credentials"
        assert "blocked" in kinds_for(user)
        again = admin.post(f"/users/{user.id}/block", {"reason": "fraud"})
        assert (again.status_code, again.json["code"]) == (409, "already_blocked")
        assert admin.post(f"/users/{user.id}/unblock").status_code == 200
        assert user.get("/me").status_code == 401, "the session ended with the block"
        assert users.sign_in(user.username).get("/me").status_code == 200
        assert "unblocked" in kinds_for(user)
        assert admin.post(f"/users/{user.id}/unblock").json["code"] == "not_blocked"


def test_block_with_invalid_reason_account_or_role_is_rejected(users: Users, admin: User) -> None:
    asha = users.customer()
    for body in (
        {},
        {"reason": "dislike"},
        {"reason": 5},
        {"reason": "fraud", "note": "x" * 2001},
        {"reason": "fraud", "why": "x"},
    ):
        assert admin.post(f"/users/{asha.id}/block", body).status_code == 422
    assert admin.post("/users/4711/block", {"reason": "fraud"}).status_code == 404
    assert asha.post(f"/users/{asha.id}/block", {"reason": "fraud"}).json["code"] == "role_not_allowed"


def test_block_of_own_account_is_rejected_and_of_another_admin_accepted(users: Users, admin: User) -> None:
    answer = admin.post(f"/users/{admin.id}/block", {"reason": "other"})
    assert (answer.status_code, answer.json["code"]) == (409, "own_account")
    second = users.admin()
    assert admin.post(f"/users/{second.id}/block", {"reason": "other"}).status_code == 200
    assert second.get("/me").json["code"] == "account_blocked"


def test_add_admin_by_admin_creates_account_with_admin_access(users: Users, admin: User) -> None:
    fields = users.fields("chief")
    answer = admin.post("/admins", fields)
    assert (answer.status_code, answer.json["role"], answer.json["isactive"]) == (201, "admin", 1)
    assert users.sign_in(fields["username"]).get("/professionals").status_code == 200
    assert admin.post("/admins", fields).status_code == 422
    assert users.customer().post("/admins", users.fields()).status_code == 403
    assert users.visitor().post("/admins", users.fields()).status_code == 401
