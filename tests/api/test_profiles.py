"""Public profiles over HTTP: what everyone may read of an active professional, and what is never part of it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.profiles.queries import response_time
from tests.factories.requests import WHY, RequestMarket, at, do, moment
from tests.factories.users import User, Users

FIELDS = {
    *("id", "firstname", "compname", "exp", "about", "photo_url", "tasks", "rating", "rating_counts", "reviews"),
    *("tasks_done", "verified_until", "member_since", "response_time", "service_area"),
}


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def profile(users: Users, professional: User) -> Any:
    return users.visitor().get(f"/profiles/{professional.id}")


def review(market: RequestMarket, customer: User, professional: User, rating: int, *, day: int) -> int:
    """Bring a request to its end and review it; return its id."""
    request = market.bring_to("closed", customer, professional, date_of_request=at(days=day))
    do(customer, f"/requests/{request['id']}/review", {"rating": rating, "comment": f"Comment {rating}"})
    return int(request["id"])


def test_public_profile_has_the_fields_of_the_contract(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional(firstname="Ravi", exp=7, compname="Rao Works")
    for day, rating in enumerate((5, 5, 2), 2):
        review(market, asha, ravi, rating, day=day)
    ravi.patch("/me/profile", {"about": "Pipes and taps.\nAlso at night."})
    body = profile(users, ravi).json
    assert set(body) == FIELDS
    assert (body["id"], body["firstname"], body["compname"], body["exp"]) == (ravi.id, "Ravi", "Rao Works", 7)
    assert body["about"] == "Pipes and taps.\nAlso at night."
    assert (body["rating"], body["reviews"], body["tasks_done"]) == (4.0, 3, 3)
    assert body["rating_counts"] == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 2}
    assert body["tasks"] == [{"id": market.task_id, "name": "Plumbing", "base_price": "499.00", "pricing": "fixed"}]
    assert (body["verified_until"], body["photo_url"]) == (None, None)


def test_public_profile_contains_no_contact_details(market: RequestMarket, users: Users) -> None:
    ravi = market.professional(phone="+919876543201", lastname="Unsaid", address="7 Hidden Lane", pincode="560001")
    said = profile(users, ravi).get_data(as_text=True)
    account = ravi.get("/me").json
    hidden = [account[name] for name in ("username", "email", "phone", "address", "pincode", "lastname")]
    assert not [value for value in hidden if value in said]


def test_public_profile_of_professional_who_is_not_active_is_not_found(market: RequestMarket, users: Users) -> None:
    admin = users.admin()
    pending = users.professional(approved=False, has_document=True)
    blocked = market.professional()
    do(admin, f"/users/{blocked.id}/block", {"reason": "other"})
    lapsed = market.professional()
    assert admin.patch(f"/professionals/{lapsed.id}", {"approval_expires_at": at(days=1)}).status_code == 200
    with transaction():
        lapse = text("UPDATE professionals SET approval_expires_at = :at WHERE account_id = :id")
        db.session.execute(lapse, {"at": now() - timedelta(seconds=1), "id": lapsed.id})
    for one in (pending, blocked, lapsed, users.customer(), admin):
        for path in (f"/profiles/{one.id}", f"/profiles/{one.id}/reviews"):
            answer = users.visitor().get(path)
            assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path


def test_profile_cached_before_a_block_is_not_found_after_it(market: RequestMarket, users: Users) -> None:
    ravi, admin = market.professional(), users.admin()
    path = f"/profiles/{ravi.id}"
    assert [users.visitor().get(path).status_code for _ in range(2)] == [200, 200]
    do(admin, f"/users/{ravi.id}/block", {"reason": "other"})
    assert users.visitor().get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("/me/profile", {"about": "New words"}, "about"),
        ("/me", {"compname": "New name"}, "compname"),
        ("/me", {"exp": 31}, "exp"),
        ("/me", {"firstname": "Renamed"}, "firstname"),
    ],
)
def test_cached_profile_shows_a_change_at_once(
    market: RequestMarket, users: Users, path: str, change: dict[str, Any], field: str
) -> None:
    ravi = market.professional()
    before = profile(users, ravi)
    assert before.headers["ETag"] == profile(users, ravi).headers["ETag"]
    assert ravi.patch(path, change).status_code == 200
    assert profile(users, ravi).json[field] == change[field]


def test_cached_reviews_show_a_reply_at_once(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = review(market, asha, ravi, 5, day=2)
    path = f"/profiles/{ravi.id}/reviews"
    assert users.visitor().get(path).json["items"][0]["reply"] is None
    do(ravi, f"/requests/{request_id}/review/reply", {"reply": "Thank you"})
    assert users.visitor().get(path).json["items"][0]["reply"] == "Thank you"


def test_repeated_profile_response_has_no_rate_limit_of_another_caller(market: RequestMarket, users: Users) -> None:
    ravi = market.professional()
    first, repeated = profile(users, ravi), profile(users, ravi)
    assert "RateLimit" in first.headers
    assert "RateLimit" not in repeated.headers


def test_profile_reviews_are_paged_newest_first_without_authors(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(firstname="Zebulon"), market.professional()
    hidden, *_ = [review(market, asha, ravi, rating, day=rating + 1) for rating in (1, 2, 3, 4, 5)]
    do(users.admin(), f"/reviews/{hidden}/hide", WHY)
    path, seen = f"/profiles/{ravi.id}/reviews?limit=2", []
    while path:
        page = users.visitor().get(path)
        assert page.status_code == 200
        assert "Zebulon" not in page.get_data(as_text=True)
        seen += page.json["items"]
        cursor = page.json["next_cursor"]
        path = f"/profiles/{ravi.id}/reviews?limit=2&cursor={cursor}" if cursor else ""
    assert [one["rating"] for one in seen] == [5, 4, 3, 2]
    assert set(seen[0]) == {"rating", "comment", "created_at", "task_name", "reply"}
    assert users.visitor().get(f"/profiles/{ravi.id}/reviews?cursor=x").status_code == 422


def test_rating_counts_follow_hidden_and_restored_reviews(market: RequestMarket, users: Users) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = review(market, asha, ravi, 3, day=2)
    counted = [profile(users, ravi).json["rating_counts"]["3"]]
    for verb, body in (("hide", WHY), ("show", None)):
        do(admin, f"/reviews/{request_id}/{verb}", body)
        counted.append(profile(users, ravi).json["rating_counts"]["3"])
    assert counted == [1, 0, 1]


def test_profile_lists_only_tasks_that_are_offered(market: RequestMarket, users: Users) -> None:
    tiling, painting = market.task("Tiling"), market.task("Painting")
    ravi, admin = market.professional(task_ids=[market.task_id, tiling, painting]), users.admin()
    assert admin.patch(f"/tasks/{tiling}", {"isactive": 0}).status_code == 200
    assert [task["name"] for task in profile(users, ravi).json["tasks"]] == ["Painting", "Plumbing"]


def test_service_area_names_districts_and_no_pincode(market: RequestMarket, users: Users) -> None:
    ravi = market.professional(pincode="560001", pincodes=["110001"])
    areas = profile(users, ravi).json["service_area"].split("; ")
    assert len(areas) == 2
    assert areas[0].endswith("Karnataka")
    assert areas[1].endswith("Delhi")


def test_verified_until_is_the_end_of_the_approval(market: RequestMarket, users: Users) -> None:
    ravi, admin, ends = market.professional(), users.admin(), moment(days=90)
    assert profile(users, ravi).json["verified_until"] is None
    assert admin.patch(f"/professionals/{ravi.id}", {"approval_expires_at": ends.isoformat()}).status_code == 200
    assert profile(users, ravi).json["verified_until"] == ends.isoformat()


def test_response_time_needs_three_answers_and_is_a_band(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    for day in (2, 3):
        market.bring_to("accepted", asha, ravi, date_of_request=at(days=day))
    assert profile(users, ravi).json["response_time"] is None
    declined = market.ask(asha, date_of_request=at(days=4))
    do(ravi, f"/requests/{declined['id']}/reject", WHY)
    ravi.patch("/me/profile", {"about": "Read again"})
    assert profile(users, ravi).json["response_time"] == "within_1_hour"


@pytest.mark.parametrize(
    ("hours", "band"),
    [(None, None), (0.5, "within_1_hour"), (1, "within_1_hour"), (1.1, "within_4_hours"), (80, "over_3_days")],
)
def test_response_time_rounds_a_median_to_its_band(hours: float | None, band: str | None) -> None:
    assert response_time(None if hours is None else hours * 3600) == band


@pytest.mark.parametrize(
    "about",
    [
        "Call me on 98765 43210",
        "WhatsApp +91-98765-43210",
        "फ़ोन ९८७६५४३२१०",
        "Write to ravi@example.org",
        "ravi (at) example",
        "See https://example.org",
        "See www.ravi-plumbing.in",
        "ravi-plumbing.com",
    ],
)
def test_about_with_contact_details_is_rejected(users: Users, about: str) -> None:
    ravi = users.professional(approved=False)
    answer = ravi.patch("/me/profile", {"about": about})
    assert (answer.status_code, answer.json["code"]) == (422, "contact_details")
    assert "about" in answer.json["errors"]


@pytest.mark.parametrize("about", ["", "In the trade since 1998, 2019-2024 in Pune. From Rs 1,499.00 a visit.", "24/7"])
def test_about_without_contact_details_is_saved(users: Users, about: str) -> None:
    ravi = users.professional(approved=False)
    answer = ravi.patch("/me/profile", {"about": about})
    assert (answer.status_code, answer.json["about"], answer.json["isactive"]) == (200, about, 0)


def test_review_reply_with_contact_details_is_rejected(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = review(market, asha, ravi, 5, day=2)
    answer = ravi.post(f"/requests/{request_id}/review/reply", {"reply": "Next time call 9876543210"})
    assert (answer.status_code, answer.json["code"]) == (422, "contact_details")
    do(ravi, f"/requests/{request_id}/review/reply", {"reply": "Thank you"})


def test_about_edit_with_stale_version_is_rejected(users: Users) -> None:
    ravi = users.professional()
    tag = ravi.get("/me/profile").headers["ETag"]
    assert ravi.patch("/me/profile", {"about": "One"}, headers={"If-Match": tag}).status_code == 200
    late = ravi.patch("/me/profile", {"about": "Two"}, headers={"If-Match": tag})
    assert (late.status_code, late.json["code"]) == (412, "stale")
    assert ravi.get("/me/profile").json["about"] == "One"


def test_public_profile_calls_are_limited_by_network(app: Flask, users: Users, market: RequestMarket) -> None:
    ravi = market.professional()
    limits = app.extensions["rate_limits"]
    item = limits._items["profile_rate_limit"]
    try:
        limits._items["profile_rate_limit"] = type(item)(2, 1)
        answers = [users.visitor().get(f"/profiles/{ravi.id}/reviews?limit={n}") for n in (1, 2, 3)]
    finally:
        limits._items["profile_rate_limit"] = item
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
