"""Account lists, account details, blocking and creation of admins, over HTTP."""

from typing import Any

import pytest
from sqlalchemy import select, text

from backend.core.db.session import db
from backend.domain.notifications.models import Notification
from tests.factories.files import form, picture
from tests.factories.people import PASSWORD, People, Person
from tests.factories.queries import count_queries


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [one["username"] for one in answer.json["items"]]


def kinds_for(person: Person) -> list[str]:
    db.session.rollback()
    return list(db.session.execute(select(Notification.kind).where(Notification.account_id == person.id)).scalars())


@pytest.fixture
def admin(people: People) -> Person:
    return people.admin()


def test_professionals_search_finds_matches_despite_typos(people: People, admin: Person) -> None:
    people.professional(username="ramesh", firstname="Ramesh", lastname="Sharma", compname="Cool Air Works")
    people.professional(username="sunita", firstname="Sunita", lastname="Iyer", compname="Brightline Plumbing",
                        phone="+919876543210", email="sunita@brightline.example")  # fmt: skip
    people.professional(username="jose", firstname="José", lastname="D'Souza", compname="पानी वाला", approved=False)
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


def test_professionals_list_is_filtered_and_sorted(people: People, admin: Person) -> None:
    one = people.professional(username="one", pincode="110001")
    two = people.professional(username="two", pincodes=["110001"])
    people.professional(username="three", approved=False)
    for person, count, total in ((one, 2, 9), (two, 1, 3)):
        rating = text("UPDATE professionals SET rating_count = :count, rating_sum = :total WHERE account_id = :id")
        db.session.execute(rating, {"count": count, "total": total, "id": person.id})
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
def test_account_lists_across_pages_have_no_gaps_or_repeats(people: People, admin: Person, path: str) -> None:
    for _ in range(7):
        people.professional(approved=False)
        people.customer()
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
def test_account_lists_run_same_number_of_queries_for_few_and_many_rows(
    people: People, admin: Person, path: str
) -> None:
    def measure() -> tuple[int, int]:
        for _ in range(2):  # the first calls of an hour note what an admin read
            admin.get(path)
        with count_queries() as seen:
            items = admin.get(path).json["items"]
        return len(items), seen.number

    people.customer()
    people.professional()
    few = measure()
    for _ in range(25):
        people.customer()
        people.professional()
    many = measure()
    assert many[0] >= 25 > few[0]
    assert few[1] == many[1] <= 4


def test_account_details_hold_statistics_history_and_allowed_actions(people: People, admin: Person) -> None:
    ravi, asha = people.professional(approved=False), people.customer()
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


def test_block_rejects_next_calls_and_sign_ins_until_unblock(people: People, admin: Person) -> None:
    for person in (people.customer(), people.professional(), people.professional(approved=False)):
        tokens = (
            people.visitor().post("/check", {"username": person.username, "password": PASSWORD, "client": "api"}).json
        )
        answer = admin.post(
            f"/users/{person.id}/block", {"reason": "poor_reviews", "note": "Rated one star three times"}
        )
        assert (answer.status_code, answer.json["isactive"]) == (200, 0), answer.json
        assert answer.json["blocked_reason"] == "poor_reviews"
        refresh = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        for refused in (
            person.get("/me"),
            person.patch("/me", {"firstname": "New"}),
            person.post("/logout"),
            people.visitor().post("/token/refresh", headers=refresh),
            people.visitor().post("/check", {"username": person.username, "password": PASSWORD}),
        ):
            assert (refused.status_code, refused.json["code"]) == (403, "account_blocked")
        wrong = people.visitor().post("/check", {"username": person.username, "password": "not this"})
        assert wrong.json["code"] == "invalid_credentials"
        assert "blocked" in kinds_for(person)
        again = admin.post(f"/users/{person.id}/block", {"reason": "fraud"})
        assert (again.status_code, again.json["code"]) == (409, "already_blocked")
        assert admin.post(f"/users/{person.id}/unblock").status_code == 200
        assert person.get("/me").status_code == 401, "the session ended with the block"
        assert people.sign_in(person.username).get("/me").status_code == 200
        assert "unblocked" in kinds_for(person)
        assert admin.post(f"/users/{person.id}/unblock").json["code"] == "not_blocked"


def test_block_with_invalid_reason_account_or_role_is_rejected(people: People, admin: Person) -> None:
    asha = people.customer()
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


def test_block_of_own_account_is_rejected_and_of_another_admin_accepted(people: People, admin: Person) -> None:
    answer = admin.post(f"/users/{admin.id}/block", {"reason": "other"})
    assert (answer.status_code, answer.json["code"]) == (409, "own_account")
    second = people.admin()
    assert admin.post(f"/users/{second.id}/block", {"reason": "other"}).status_code == 200
    assert second.get("/me").json["code"] == "account_blocked"


def test_add_admin_by_admin_creates_account_with_admin_access(people: People, admin: Person) -> None:
    fields = people.fields("chief")
    answer = admin.post("/admins", fields)
    assert (answer.status_code, answer.json["role"], answer.json["isactive"]) == (201, "admin", 1)
    assert people.sign_in(fields["username"]).get("/professionals").status_code == 200
    assert admin.post("/admins", fields).status_code == 422
    assert people.customer().post("/admins", people.fields()).status_code == 403
    assert people.visitor().post("/admins", people.fields()).status_code == 401
