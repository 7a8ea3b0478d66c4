"""Tasks over HTTP: editing by admins, visibility, lists."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.core.db.session import db
from backend.domain.audit.models import AuditEntry
from tests.factories.requests import RequestMarket
from tests.factories.tasks import fields, make_task
from tests.factories.users import Users

CONTRACT = {
    "id",
    "name",
    "description",
    "category",
    "base_price",
    "currency",
    "time_required",
    "isactive",
    "rating",
    "professionals",
}


def test_create_task_by_admin_is_visible_to_everyone(client: Any, users: Users) -> None:
    answer = users.admin().post("/tasks", fields(name="  Fan repair ", base_price=499.5))
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/tasks/{answer.json['id']}"
    assert set(answer.json) >= CONTRACT
    assert (answer.json["name"], answer.json["base_price"], answer.json["currency"]) == ("Fan repair", "499.50", "INR")
    assert (answer.json["isactive"], answer.json["rating"], answer.json["professionals"]) == (1, None, 0)
    seen = client.get(f"/tasks/{answer.json['id']}")
    assert seen.json["base_price"] == "499.50"
    assert set(seen.json) >= CONTRACT
    assert client.get("/tasks").json["items"][0] == seen.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", "x" * 101),
        ("name", "bell\x07"),
        ("name", None),
        ("name", 7),
        ("description", "x" * 2001),
        ("category", ""),
        ("base_price", "0"),
        ("base_price", "-1.00"),
        ("base_price", "10000000.01"),
        ("base_price", "1.005"),
        ("base_price", "NaN"),
        ("base_price", "1e400"),
        ("base_price", "1e2"),
        ("base_price", "4_99"),
        ("base_price", "+5"),
        ("base_price", ".5"),
        ("base_price", True),
        ("base_price", "\u0663"),
        ("time_required", 4),
        ("time_required", 1441),
        ("time_required", 30.5),
        ("time_required", 10**30),
        ("time_required", "soon"),
        ("isactive", 2),
        ("isactive", "yes"),
        ("picture", "../../etc/passwd"),
        ("search_words", ["x"] * 21),
        ("search_words", "tap"),
        ("colour", "blue"),
    ],
)
def test_create_task_with_invalid_field_names_it(users: Users, field: str, value: Any) -> None:
    answer = users.admin().post("/tasks", fields(**{field: value}))
    assert answer.status_code == 422, answer.json
    assert next(iter(answer.json["errors"])).split(".")[0] == field


@pytest.mark.parametrize("field", ["name", "description", "category", "base_price", "time_required"])
def test_create_task_without_required_field_names_it(users: Users, field: str) -> None:
    body = fields()
    del body[field]
    answer = users.admin().post("/tasks", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize(("price", "shown"), [("0.01", "0.01"), (10000000, "10000000.00"), ("12.5", "12.50")])
def test_task_price_is_stored_exactly(users: Users, price: Any, shown: str) -> None:
    assert users.admin().post("/tasks", fields(base_price=price)).json["base_price"] == shown


def test_task_name_in_other_case_is_rejected_as_taken(users: Users) -> None:
    admin = users.admin()
    admin.post("/tasks", fields(name="Sofa Cleaning"))
    answer = admin.post("/tasks", fields(name="sofa cleaning"))
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (422, "name_taken", ["name"])
    other = admin.post("/tasks", fields()).json["id"]
    assert admin.patch(f"/tasks/{other}", {"name": "SOFA CLEANING"}).status_code == 422


def test_task_edits_by_other_roles_are_rejected(client: Any, users: Users) -> None:
    task = make_task()
    assert client.post("/tasks", json=fields()).status_code == 401
    asha = users.customer()
    for answer in (
        asha.post("/tasks", fields()),
        asha.patch(f"/tasks/{task.id}", {"name": "Mine"}),
        asha.delete(f"/tasks/{task.id}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "role_not_allowed")


def test_task_draft_is_visible_to_admins_only(client: Any, users: Users) -> None:
    task = make_task(isactive=0)
    assert client.get(f"/tasks/{task.id}").status_code == 404
    assert client.get("/tasks").json["items"] == []
    assert users.customer().get(f"/tasks/{task.id}").status_code == 404
    admin = users.admin()
    assert admin.get(f"/tasks/{task.id}").json["isactive"] == 0
    assert [item["id"] for item in admin.get("/tasks").json["items"]] == [task.id]
    assert admin.patch(f"/tasks/{task.id}", {"isactive": True}).json["isactive"] == 1
    assert client.get(f"/tasks/{task.id}").status_code == 200


def test_task_edit_with_outdated_if_match_returns_stale(users: Users) -> None:
    task, first, second = make_task(), users.admin(), users.admin()
    read = first.get(f"/tasks/{task.id}").headers["ETag"]
    assert second.patch(f"/tasks/{task.id}", {"base_price": "600.00"}, headers={"If-Match": read}).status_code == 200
    stale = first.patch(f"/tasks/{task.id}", {"base_price": "550.00"}, headers={"If-Match": read})
    assert (stale.status_code, stale.json["code"]) == (412, "stale")
    assert first.delete(f"/tasks/{task.id}", headers={"If-Match": read}).status_code == 412
    assert first.patch(f"/tasks/{task.id}", {"base_price": "550.00"}, headers={"If-Match": '"x"'}).status_code == 412
    again = first.get(f"/tasks/{task.id}")
    assert again.json["base_price"] == "600.00"
    edit = first.patch(f"/tasks/{task.id}", {"base_price": "550.00"}, headers={"If-Match": again.headers["ETag"]})
    assert edit.json["base_price"] == "550.00"


def test_delete_unused_task_removes_it(users: Users) -> None:
    task, admin = make_task(), users.admin()
    assert admin.delete(f"/tasks/{task.id}").status_code == 204
    assert admin.get(f"/tasks/{task.id}").status_code == 404
    assert admin.delete(f"/tasks/{task.id}").status_code == 404
    assert admin.post("/tasks", fields(name=task.name)).status_code == 201


def test_delete_task_with_requests_archives_it(client: FlaskClient, users: Users) -> None:
    market, admin = RequestMarket(users), users.admin()
    request_id = market.ask(asha := users.customer())["id"]
    path = f"/tasks/{market.task_id}"
    assert [admin.delete(path).status_code for _ in range(2)] == [204, 204]
    assert client.get(path).status_code == 404
    assert admin.get(path).json["archived_at"] is not None
    edit = admin.patch(path, {"base_price": "1.00"})
    assert (edit.status_code, edit.json["code"]) == (409, "task_archived")
    new = asha.post("/requests", market.body())
    assert (new.status_code, new.json["code"]) == (409, "task_not_available")
    assert asha.get(f"/requests/{request_id}").json["status"] == "requested"
    archived = select(AuditEntry.subject_id).where(AuditEntry.action == "task_archived")
    assert db.session.execute(archived).scalars().all() == [market.task_id]


@pytest.mark.parametrize("task_id", ["0", "-1", "9" * 40, "abc", "\u0663", "1.5", "9223372036854775808"])
def test_task_id_of_invalid_format_returns_404(users: Users, task_id: str) -> None:
    assert users.admin().get(f"/tasks/{task_id}").status_code == 404


def test_task_changes_by_admin_are_audited(users: Users) -> None:
    admin = users.admin()
    task_id = admin.post("/tasks", fields(base_price="10.00")).json["id"]
    admin.patch(f"/tasks/{task_id}", {"base_price": "12.00"})
    admin.patch(f"/tasks/{task_id}", {"base_price": "12.00"})
    admin.delete(f"/tasks/{task_id}")
    entries = db.session.execute(
        select(AuditEntry).where(AuditEntry.subject_kind == "task").order_by(AuditEntry.id)
    ).scalars()
    rows = [(e.action, e.actor_id, e.subject_id, e.before, e.after) for e in entries]
    assert [row[0] for row in rows] == ["task_created", "task_edited", "task_deleted"]
    assert rows[1][1:] == (admin.id, task_id, {"base_price": "10.00"}, {"base_price": "12.00"})


def test_tasks_list_is_paginated_and_filtered(client: Any) -> None:
    for name in ("Bed bugs", "Ants", "Cats", "Dogs"):
        make_task(name=name, category="Pets" if name in ("Cats", "Dogs") else "Pests")
    first = client.get("/tasks?limit=3")
    assert [t["name"] for t in first.json["items"]] == ["Ants", "Bed bugs", "Cats"]
    assert 'rel="next"' in first.headers["Link"]
    rest = client.get(f"/tasks?limit=3&cursor={first.json['next_cursor']}")
    assert ([t["name"] for t in rest.json["items"]], rest.json["next_cursor"]) == (["Dogs"], None)
    assert [t["name"] for t in client.get("/tasks?category=pets").json["items"]] == ["Cats", "Dogs"]
    assert [t["name"] for t in client.get("/tasks?q=bed%20bug").json["items"]] == ["Bed bugs"]
    for query in ("limit=0", "limit=101", "limit=x", "cursor=x", "colour=blue", "q=", "limit=1&limit=2"):
        assert client.get(f"/tasks?{query}").status_code == 422, query


def test_tasks_path_with_question_mark_is_not_a_query(client: FlaskClient) -> None:
    """Responses are cached by URL, so two URLs must not share a cache key."""
    make_task()
    words = client.get("/tasks", environ_overrides={"QUERY_STRING": "q=a?b"})
    path = client.get("/", environ_overrides={"PATH_INFO": "/tasks?q=a", "QUERY_STRING": "b"})
    assert (words.status_code, path.status_code) == (200, 404)


def test_synonyms_match_whole_words_and_are_no_patterns(users: Users, client: FlaskClient) -> None:
    make_task(name="Plumbing")
    for phrases in (["%", "plumbing"], ["s_ver", "plumbing"], ["tap work", "plumbing"]):
        assert users.admin().post("/synonyms", {"phrases": phrases}).status_code == 201
    found = [client.get(f"/tasks?q={words}").get_json() for words in ("quiet music", "my silver", "some tap work")]
    assert [len(answer["items"]) for answer in found] == [0, 0, 1]
