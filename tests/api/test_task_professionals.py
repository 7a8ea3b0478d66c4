"""The professionals who offer a task at a place, over HTTP."""

from typing import Any

from backend.domain.tasks.models import Task
from tests.factories.tasks import fields, make_task
from tests.factories.users import Users

HERE, NEAR, FAR = "560001", "560066", "570001"  # MG Road, Whitefield (17 km), Mysuru (130 km)


def profiles(caller: Any, task: Task, query: str = "") -> list[tuple[int, float | None]]:
    answer = caller.get(f"/tasks/{task.id}/professionals?{query}")
    assert answer.status_code == 200, answer.json
    return [(item["id"], item["distance_km"]) for item in answer.json["items"]]


def test_task_professionals_are_filtered_by_area_and_sorted_by_distance(users: Users) -> None:
    task, customer = make_task(), users.customer()
    here = users.professional(task_ids=[task.id], pincode=HERE, compname="Here and Sons")
    near = users.professional(task_ids=[task.id], pincode=NEAR, radius_km=50)
    far = users.professional(task_ids=[task.id], pincode=FAR, pincodes=[HERE])
    users.professional(task_ids=[task.id], pincode=HERE, approved=False)
    users.professional(task_ids=[make_task().id], pincode=HERE)
    assert [who for who, _ in profiles(customer, task, f"pincode={HERE}")] == [here.id, near.id, far.id]
    assert [who for who, _ in profiles(customer, task, f"pincode={HERE}&radius_km=5")] == [here.id, far.id]
    assert [who for who, _ in profiles(customer, task, f"pincode={NEAR}&radius_km=50")] == [near.id, here.id]
    assert profiles(customer, task) == [(here.id, None), (near.id, None), (far.id, None)]
    item = customer.get(f"/tasks/{task.id}/professionals?pincode={HERE}").json["items"][0]
    assert item == {
        "id": here.id,
        "firstname": item["firstname"],
        "compname": "Here and Sons",
        "exp": 5,
        "rating": None,
        "reviews": 0,
        "distance_km": 0.0,
        "photo_url": None,
        "favourite": 0,
    }
    counted = customer.get(f"/search?pincode={HERE}").json["items"][0]["professionals"]
    assert counted == len(profiles(customer, task, f"pincode={HERE}"))


def test_task_professionals_are_paginated_and_for_customers_and_admins(client: Any, users: Users) -> None:
    task, admin = make_task(), users.admin()
    all_of_them = [users.professional(task_ids=[task.id]).id for _ in range(5)]
    seen: list[Any] = []
    cursor: Any = ""
    while cursor is not None:
        path = f"/tasks/{task.id}/professionals?pincode={HERE}&limit=2{cursor and '&cursor=' + cursor}"
        answer = admin.get(path).json
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert seen == all_of_them
    assert client.get(f"/tasks/{task.id}/professionals").status_code == 401
    assert users.professional().get(f"/tasks/{task.id}/professionals").status_code == 403
    assert admin.get("/tasks/999/professionals").status_code == 404
    for query in ("pincode=999999", "radius_km=0", "pincode=12", "colour=blue"):
        assert admin.get(f"/tasks/{task.id}/professionals?{query}").status_code == 422


def test_task_professionals_of_draft_are_hidden_from_customers(users: Users) -> None:
    task = make_task(isactive=0)
    assert users.customer().get(f"/tasks/{task.id}/professionals").status_code == 404
    assert fields()["name"]
