"""Search over HTTP: words, places, prices, ratings, pages."""

import random
from typing import Any

import pytest
from sqlalchemy import update

from backend.core.db.session import db, transaction
from backend.domain.tasks.models import Task
from tests.factories.queries import count_queries
from tests.factories.tasks import make_task
from tests.factories.users import Users

HERE, NEAR, FAR = "560001", "560066", "570001"  # MG Road, Whitefield (17 km), Mysuru (130 km)


def names(client: Any, query: str = "") -> list[str]:
    answer = client.get(f"/search?{query}")
    assert answer.status_code == 200, answer.json
    return [item["name"] for item in answer.json["items"]]


def rate(task: Task, *, count: int, total: int) -> None:
    with transaction():
        db.session.execute(update(Task).where(Task.id == task.id).values(rating_count=count, rating_sum=total))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("plumer", "Plumbing"),
        ("plumbing", "Plumbing"),
        ("PLUMBNIG", "Plumbing"),
        ("plumb", "Plumbing"),
        ("elektrician", "Electrician"),
        ("sofa claening", "Sofa cleaning"),
        ("claening", "Sofa cleaning"),
        ("cafe", "Café machine repair"),
        ("pest contrl", "Pest control"),
        ("दरवाज़ा", "दरवाज़ा मरम्मत"),
    ],
)
def test_search_ignores_typos_case_and_accents(client: Any, typed: str, found: str) -> None:
    for name in ("Plumbing", "Electrician", "Sofa cleaning", "Café machine repair", "Pest control", "दरवाज़ा मरम्मत"):
        make_task(name=name, category="Home")
    assert names(client, f"q={typed}")[0] == found


def test_search_leaves_out_unrelated_tasks(client: Any) -> None:
    for name in ("Plumbing", "Painting", "Gardening"):
        make_task(name=name)
    assert names(client, "q=plumer") == ["Plumbing"]
    assert names(client, "q=zzzz") == []
    assert names(client, "q=%25") == []
    assert names(client, "q=!!!") == []


def test_search_finds_task_by_search_words_and_synonyms(client: Any, users: Users) -> None:
    make_task(name="Air conditioner service", search_words=["cooling"])
    make_task(name="Plumbing")
    assert names(client, "q=cooling") == ["Air conditioner service"]
    assert names(client, "q=ac%20repair") == []
    admin = users.admin()
    made = admin.post("/synonyms", {"phrases": ["ac repair", "air conditioner service"]})
    assert made.status_code == 201
    assert (
        names(client, "q=ac%20repair") == names(client, "q=air%20conditioner%20service") == ["Air conditioner service"]
    )
    assert names(client, "q=ac%20repiar") == ["Air conditioner service"]
    admin.put(f"/synonyms/{made.json['id']}", {"phrases": ["chiller", "air conditioner service"]})
    assert names(client, "q=ac%20repair") == []
    assert names(client, "q=chiller") == ["Air conditioner service"]
    admin.delete(f"/synonyms/{made.json['id']}")
    assert names(client, "q=chiller") == []


def test_synonyms_are_edited_by_admins_with_etag(users: Users) -> None:
    admin = users.admin()
    made = admin.post("/synonyms", {"phrases": ["a", "b"]})
    path, tag = f"/synonyms/{made.json['id']}", made.headers["ETag"]
    assert admin.put(path, {"phrases": ["a", "c"]}, headers={"If-Match": tag}).status_code == 200
    assert admin.put(path, {"phrases": ["a", "d"]}, headers={"If-Match": tag}).status_code == 412
    assert admin.delete(path, headers={"If-Match": tag}).status_code == 412
    assert [group["phrases"] for group in admin.get("/synonyms").json["items"]] == [["a", "c"]]
    for phrases in ([], ["a"], ["a", "A"], ["a", ""], "a", ["a"] * 21):
        assert admin.post("/synonyms", {"phrases": phrases}).status_code == 422
    assert admin.get("/synonyms/99").status_code == 404
    assert users.customer().get("/synonyms").status_code == 403


def test_search_by_pincode_leaves_out_tasks_without_professionals_there(client: Any, users: Users) -> None:
    served, unserved = make_task(name="Served"), make_task(name="Unserved")
    users.professional(task_ids=[served.id], pincode=HERE)
    users.professional(task_ids=[unserved.id], pincode=FAR)
    users.professional(task_ids=[served.id, unserved.id], pincode=HERE, approved=False)
    assert names(client) == ["Served", "Unserved"]
    hit = client.get(f"/search?pincode={HERE}").json["items"]
    assert [(item["name"], item["professionals"], item["nearest_km"]) for item in hit] == [("Served", 1, 0.0)]
    assert hit[0]["base_price"] == "499.00"
    assert names(client, "pincode=560001&q=plumer") == []


def test_search_by_pincode_applies_service_area_and_chosen_radius(client: Any, users: Users) -> None:
    task = make_task(name="Plumbing")
    pro = users.professional(task_ids=[task.id], pincode=NEAR)
    assert names(client, f"pincode={HERE}") == []
    assert names(client, f"pincode={HERE}&radius_km=10") == []
    assert names(client, f"pincode={HERE}&radius_km=50") == ["Plumbing"]
    pro.patch("/me", {"radius_km": 50})
    assert names(client, f"pincode={HERE}") == ["Plumbing"]
    assert names(client, f"pincode={HERE}&radius_km=5") == []
    pro.patch("/me", {"radius_km": 1, "pincodes": [HERE]})
    item = client.get(f"/search?pincode={HERE}&radius_km=1").json["items"][0]
    assert item["professionals"] == 1
    assert 10 < item["nearest_km"] < 25
    assert client.get(f"/search?pincode={HERE}&radius_km=200").json["items"][0]["professionals"] == 1
    pro.patch("/me", {"pincodes": [], "pincode": HERE})
    assert client.get(f"/search?pincode={HERE}").json["items"][0]["nearest_km"] == 0


def test_search_by_location_name_counts_professionals_there(client: Any, users: Users) -> None:
    task, other = make_task(name="Plumbing"), make_task(name="Painting")
    users.professional(task_ids=[task.id], pincode=HERE)
    users.professional(task_ids=[task.id], pincode=HERE)
    users.professional(task_ids=[other.id], pincode=FAR)
    for location in ("Karnataka", "karnataka", "Bengaluru Urban", "bengaluru", "Indiranagar, Bengaluru"):
        answer = client.get("/search", query_string={"location": location}).json
        assert ("Plumbing", 2) in [(item["name"], item["professionals"]) for item in answer["items"]], location
    assert names(client, "location=Bengaluru%20Urban") == ["Plumbing"]
    assert sorted(names(client, "location=Karnataka")) == ["Painting", "Plumbing"]
    assert names(client, "location=Tamil%20Nadu") == []


def test_search_with_unknown_place_is_rejected_or_suggests_similar_names(client: Any) -> None:
    make_task()
    refused = client.get("/search?pincode=999999")
    assert (refused.status_code, list(refused.json["errors"]), refused.json["code"]) == (
        422,
        ["pincode"],
        "unknown_pincode",
    )
    assert client.get("/search?pincode=999999&radius_km=20").status_code == 422
    nowhere = client.get("/search?location=Xyzzyplugh").json
    assert (nowhere["items"], nowhere["near"], nowhere["next_cursor"]) == ([], [], None)
    meant = client.get("/search?location=Bengalooru%20Urbun").json
    assert meant["items"] == []
    assert "Bengaluru Urban" in [place["name"] for place in meant["near"]]


def test_search_without_matches_suggests_nearest_places(client: Any, users: Users) -> None:
    task = make_task(name="Plumbing")
    users.professional(task_ids=[task.id], pincode=FAR)
    answer = client.get(f"/search?pincode={HERE}&q=plumer").json
    assert answer["items"] == []
    near = answer["near"][0]
    assert (near["pincode"], near["task_id"], near["professionals"]) == (FAR, task.id, 1)
    assert 120 < near["distance_km"] < 140
    assert client.get("/search?location=Bengaluru%20Urban").json["near"][0]["pincode"] == FAR
    assert client.get(f"/search?pincode={FAR}").json["near"] == []


def test_search_filters_by_price_rating_and_category(client: Any) -> None:
    cheap_task, expensive = (
        make_task(name="Cheap", base_price="100"),
        make_task(name="Expensive", base_price="900", category="Luxury"),
    )
    rate(expensive, count=10, total=50)
    assert names(client, "max_price=100.00") == ["Cheap"]
    assert names(client, "max_price=99.99") == []
    assert names(client, "min_rating=4") == ["Expensive"]
    assert names(client, "category=luxury") == ["Expensive"]
    counted = client.get("/search?category=luxury").json["categories"]
    assert counted == [{"category": "Luxury", "tasks": 1}, {"category": "Repairs", "tasks": 1}]
    assert cheap_task.id


def test_search_sorted_by_rating_weighs_number_of_reviews(client: Any) -> None:
    one, many, bad, none = (make_task(name=name) for name in ("One", "Many", "Bad", "None"))
    rate(one, count=1, total=5)
    rate(many, count=200, total=940)
    rate(bad, count=200, total=300)
    assert names(client, "sort=rating") == ["Many", "One", "Bad", "None"]
    shown = [item["rating"] for item in client.get("/search?sort=rating").json["items"]]
    assert shown == [4.69, 4.25, 1.54, None]
    assert none.id


def test_search_is_sorted_by_price_or_distance(client: Any, users: Users) -> None:
    expensive, cheap_task = make_task(name="Expensive", base_price="900"), make_task(name="Cheap", base_price="1")
    users.professional(task_ids=[expensive.id], pincode=HERE)
    users.professional(task_ids=[cheap_task.id], pincode=NEAR)
    query = f"pincode={HERE}&radius_km=50"
    assert names(client, f"{query}&sort=price") == ["Cheap", "Expensive"]
    assert names(client, f"{query}&sort=distance") == ["Expensive", "Cheap"]
    assert len(names(client, "sort=distance")) == 2


@pytest.mark.parametrize("sort", ["relevance", "price", "rating", "distance"])
def test_search_pages_during_changes_have_no_gaps_or_repeats(client: Any, users: Users, sort: str) -> None:
    dice = random.Random(sort)
    tasks = [make_task(name=f"Repair {n}", base_price=dice.choice(["10", "20", "30"])) for n in range(23)]
    for task in tasks[::2]:
        rate(task, count=dice.randrange(1, 4), total=6)
    seen: list[str] = []
    cursor: Any = ""
    while cursor is not None:
        answer = client.get(f"/search?q=repair&limit=4&sort={sort}{cursor and '&cursor=' + cursor}").json
        seen += [item["name"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        make_task(name=f"Repair new {len(seen)}", base_price="5")
        users.admin().delete(f"/tasks/{answer['items'][0]['id']}")
    old = [name for name in seen if "new" not in name]
    assert len(seen) == len(set(seen))
    assert set(old) == {task.name for task in tasks}


@pytest.mark.parametrize(
    "query",
    [
        "colour=blue",
        "q=",
        f"q={'x' * 101}",
        "q=%00",
        "pincode=56001",
        "pincode=abcdef",
        "pincode=\u0665\u0666\u0660\u0660\u0660\u0661",
        "pincode=560001&radius_km=0",
        "pincode=560001&radius_km=201",
        "pincode=560001&radius_km=x",
        "max_price=-1",
        "max_price=NaN",
        "max_price=1e999",
        "min_rating=6",
        "min_rating=nan",
        "min_rating=x",
        "sort=random",
        "limit=0",
        "limit=101",
        "cursor=abc",
        "cursor=",
        "pincode=560001&pincode=560002",
        "location=",
    ],
)
def test_search_with_invalid_parameter_names_it(client: Any, query: str) -> None:
    answer = client.get(f"/search?{query}")
    assert answer.status_code == 422, answer.json
    assert next(iter(answer.json["errors"])) in {*query.replace("&", "=").split("="), "colour"}


def test_search_cursor_with_other_sort_order_is_rejected(client: Any) -> None:
    for _ in range(3):
        make_task()
    cursor = client.get("/search?limit=1&sort=price").json["next_cursor"]
    assert client.get(f"/search?limit=1&sort=price&cursor={cursor}").status_code == 200
    assert client.get(f"/search?limit=1&sort=rating&cursor={cursor}").status_code == 422


def test_search_leaves_out_draft_and_archived_tasks(client: Any, users: Users) -> None:
    make_task(name="Draft", isactive=0)
    assert names(client) == []
    assert [item["name"] for item in users.admin().get("/search").json["items"]] == []


@pytest.mark.parametrize(
    "query", ["", "q=plumer", f"pincode={HERE}", f"pincode={HERE}&radius_km=200", "location=Karnataka"]
)
def test_search_runs_at_most_three_queries_for_any_page_size(client: Any, users: Users, query: str) -> None:
    tasks = [make_task(name=f"Plumbing {n} of many").id for n in range(30)]
    users.professional(task_ids=tasks, pincode=HERE)
    numbers = set()
    for limit in (1, 30):
        with count_queries() as counted:
            assert len(client.get(f"/search?{query}&limit={limit}").json["items"]) == limit
        numbers.add(counted.number)
    assert len(numbers) == 1
    assert counted.number <= 3


def test_search_returns_changes_at_once(client: Any, users: Users) -> None:
    admin, task = users.admin(), make_task(name="Plumbing")
    query = f"/search?pincode={HERE}"
    assert client.get(query).json["items"] == []
    pro = users.professional(task_ids=[task.id], pincode=HERE)
    assert client.get(query).json["items"][0]["professionals"] == 1
    for price in ("100.00", "101.00", "102.00"):
        admin.patch(f"/tasks/{task.id}", {"base_price": price})
        assert client.get(query).json["items"][0]["base_price"] == price
        assert client.get(f"/tasks/{task.id}").json["base_price"] == price
        assert client.get("/tasks").json["items"][0]["base_price"] == price
    assert client.get(f"/tasks/{task.id}").json["professionals"] == 1
    admin.post(f"/users/{pro.id}/block", {"reason": "fraud"})
    assert client.get(query).json["items"] == []
    admin.post(f"/users/{pro.id}/unblock", {})
    assert len(client.get(query).json["items"]) == 1
    admin.patch(f"/tasks/{task.id}", {"isactive": 0})
    assert client.get(query).json["items"] == []
