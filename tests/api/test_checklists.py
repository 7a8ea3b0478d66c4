"""Checklists over HTTP: edited by admins, copied on acceptance, ticked during the visit, required or not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from tests.factories.photos import add_photo, send_photo
from tests.factories.requests import WHY, RequestMarket, do
from tests.factories.users import User, Users

POINTS = [{"text": "Water is turned off", "photo": False}, {"text": "Joint is dry", "photo": True}]


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def edit(admin: User, market: RequestMarket, points: list[Any], *, required: bool = False) -> Any:
    return admin.put(f"/tasks/{market.task_id}/checklist", {"points": points, "required": required})


def accepted(
    users: Users, market: RequestMarket, points: list[Any], *, required: bool = False
) -> tuple[User, User, str]:
    """Return both sides and the path of an accepted request whose task has these points."""
    assert edit(users.admin(), market, points, required=required).status_code == 200
    customer, professional = users.customer(), market.professional()
    return customer, professional, f"/requests/{market.bring_to('accepted', customer, professional)['id']}"


def items(who: User, path: str) -> list[dict[str, Any]]:
    return list(who.get(f"{path}/checklist").json["items"])


def tick(who: User, path: str, number: int, **body: Any) -> Any:
    return who.put(f"{path}/checklist/{number}", {"done": True, **body})


def test_task_has_no_checklist_until_an_admin_makes_one(users: Users, market: RequestMarket) -> None:
    admin = users.admin()
    path = f"/tasks/{market.task_id}/checklist"
    assert admin.get(path).json == {"points": [], "required": False}
    tag = admin.get(path).headers["ETag"]
    assert edit(admin, market, POINTS, required=True).json == {"points": POINTS, "required": True}
    late = admin.put(path, {"points": []}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert users.customer().get(path).json["points"] == POINTS
    assert edit(admin, market, []).json == {"points": [], "required": False}
    actions = [entry["action"] for entry in admin.get("/audit?action=task_checklist_changed").json["items"]]
    assert len(actions) == 2


@pytest.mark.parametrize(
    ("points", "field"),
    [
        ([{"text": "ab"}], "points.0.text"),
        ([{"text": "x" * 201}], "points.0.text"),
        ([{"text": "Fine", "photo": "yes, please"}], "points.0.photo"),
        ([{"text": f"Point {number}"} for number in range(21)], "points"),
        ([{"photo": True}], "points.0.text"),
    ],
)
def test_checklist_that_is_not_valid_names_the_field(
    users: Users, market: RequestMarket, points: list[Any], field: str
) -> None:
    answer = edit(users.admin(), market, points)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_points_are_copied_on_acceptance_and_stay_as_they_were(users: Users, market: RequestMarket) -> None:
    customer, professional, path = accepted(users, market, POINTS)
    edit(users.admin(), market, [{"text": "Something else"}])
    for who in (customer, professional, users.admin()):
        assert [(one["number"], one["text"], one["photo"], one["done_at"]) for one in items(who, path)] == [
            (1, "Water is turned off", False, None),
            (2, "Joint is dry", True, None),
        ]
    assert market.professional().get(f"{path}/checklist").status_code == 404


def test_next_professional_begins_with_the_points_of_that_time(users: Users, market: RequestMarket) -> None:
    customer, professional, path = accepted(users, market, [*POINTS, {"text": "Site is clean"}])
    assert tick(professional, path, 1).status_code == 200
    edit(users.admin(), market, POINTS)
    do(professional, f"{path}/release", WHY)
    assert items(customer, path) == []
    do(market.professional(), f"{path}/accept")
    assert [(one["text"], one["done_at"]) for one in items(customer, path)] == [
        ("Water is turned off", None),
        ("Joint is dry", None),
    ]


def test_tick_can_be_repeated_and_undone_by_the_professional_alone(users: Users, market: RequestMarket) -> None:
    customer, professional, path = accepted(users, market, POINTS)
    first = tick(professional, path, 1)
    assert first.status_code == 200
    assert first.json["items"][0]["done_at"] is not None
    assert tick(professional, path, 1).json == first.json
    assert items(customer, path)[0]["done_at"] == first.json["items"][0]["done_at"]
    undone = professional.put(f"{path}/checklist/1", {"done": False})
    assert undone.json["items"][0]["done_at"] is None
    assert tick(customer, path, 1).json["code"] == "role_not_allowed"
    assert tick(market.professional(), path, 1).status_code == 404
    assert tick(professional, path, 3).status_code == 404


def test_tick_with_reported_time_follows_the_rules_of_the_visit(users: Users, market: RequestMarket) -> None:
    _, professional, path = accepted(users, market, POINTS)
    for wrong in (now() + timedelta(minutes=5), now() - timedelta(minutes=5), now() - timedelta(days=3)):
        refused = tick(professional, path, 1, at=wrong.isoformat())
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["at"])
    with transaction():
        db.session.execute(text("UPDATE task_requests SET accepted_at = accepted_at - interval '1 hour'"))
    earlier = (now() - timedelta(minutes=20)).replace(microsecond=0)
    done = tick(professional, path, 1, at=earlier.isoformat())
    assert done.json["items"][0]["done_at"].startswith(earlier.strftime("%Y-%m-%dT%H:%M:%S"))


def test_point_that_needs_a_photo_is_ticked_with_one_that_names_it(users: Users, market: RequestMarket) -> None:
    _, professional, path = accepted(users, market, POINTS)
    request_id = int(path.rpartition("/")[2])
    add_photo(professional, request_id, "before")
    missing = tick(professional, path, 2)
    assert (missing.status_code, missing.json["code"]) == (409, "point_photo_missing")
    for wrong in (3, 0):
        assert list(send_photo(professional, request_id, "after", point=wrong).json["errors"]) == ["point"]
    photo = add_photo(professional, request_id, "after", point=2)
    assert photo["point"] == 2
    done = tick(professional, path, 2).json["items"][1]
    assert (done["photo_ids"], done["done_at"] is not None) == ([photo["id"]], True)
    assert professional.delete(f"/photos/{photo['id']}").status_code == 204
    assert (items(professional, path)[1]["photo_ids"], items(professional, path)[1]["done_at"]) == ([], None)


def test_photo_of_problem_names_no_point(users: Users, market: RequestMarket) -> None:
    customer, _, path = accepted(users, market, POINTS)
    refused = send_photo(customer, int(path.rpartition("/")[2]), "problem", point=1)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["point"])


@pytest.mark.parametrize(("who", "verb"), [(1, "complete"), (0, "complete"), (0, "close")])
def test_required_points_must_be_ticked_before_completion(
    users: Users, market: RequestMarket, who: int, verb: str
) -> None:
    *sides, path = accepted(users, market, [POINTS[0]], required=True)
    refused = sides[who].post(f"{path}/{verb}")
    assert (refused.status_code, refused.json["code"]) == (409, "checklist_open")
    assert sides[0].get(path).json["status"] == "accepted"
    assert tick(sides[1], path, 1).status_code == 200
    do(sides[who], f"{path}/{verb}")
    closed = tick(sides[1], path, 1, done=False)
    assert (closed.status_code, closed.json["code"]) == (409, "checklist_closed")


def test_points_that_are_not_required_may_stay_open(users: Users, market: RequestMarket) -> None:
    _, professional, path = accepted(users, market, POINTS)
    do(professional, f"{path}/complete")


def test_concurrent_untick_and_completion_leave_no_open_point(users: Users, market: RequestMarket) -> None:
    _, professional, path = accepted(users, market, [POINTS[0]], required=True)
    assert tick(professional, path, 1).status_code == 200

    def call(what: str) -> int:
        client = users.app.test_client()
        if what == "complete":
            return client.post(f"{path}/complete", headers=professional.headers).status_code
        return client.put(f"{path}/checklist/1", json={"done": False}, headers=professional.headers).status_code

    with ThreadPoolExecutor(2) as pool:
        completed, unticked = pool.map(call, ("complete", "untick"))
    assert sorted((completed, unticked)) == [200, 409]
    is_done = items(professional, path)[0]["done_at"] is not None
    assert is_done == (completed == 200)
