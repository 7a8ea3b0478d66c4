"""The served contract is complete, true, and good for a generated client."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from backend.api.endpoint import ATTRIBUTE
from backend.api.openapi import document as openapi_document

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(shared_app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_app.test_client().get("/openapi.json").data)
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_call_is_in_it(shared_app: Flask, document: dict[str, Any]) -> None:
    there = {
        f"{method} " + openapi_document.PARAMETER.sub(r"{\g<name>}", rule.rule)
        for rule in shared_app.url_map.iter_rules()
        if hasattr(shared_app.view_functions[rule.endpoint], "view_class")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {name for name, _ in operations(document)} == there


def test_every_call_is_declared(shared_app: Flask) -> None:
    for view in shared_app.view_functions.values():
        resource = getattr(view, "view_class", None)
        for method in METHODS if resource else ():
            handler = getattr(resource, method, None)
            assert handler is None or hasattr(handler, ATTRIBUTE), f"{resource}.{method} lacks @endpoint"


def test_names_for_a_client_are_unique_words(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names), names


def test_the_calls_that_third_parties_rely_on_have_the_names_they_would_guess(document: dict[str, Any]) -> None:
    wanted = {
        "POST /add_customer": "addCustomer",
        "POST /add_professional": "addProfessional",
        "POST /check": "check",
        "GET /requests": "listRequests",
        "POST /requests": "createRequest",
        "POST /requests/{request_id}/accept": "acceptRequest",
        "GET /exports/{export_id}/download": "downloadExport",
    }
    names = {name: operation["operationId"] for name, operation in operations(document)}
    assert {name: names[name] for name in wanted} == wanted


@pytest.mark.parametrize("part", ["summary", "description", "tags", "responses", "security"])
def test_every_call_tells_all(document: dict[str, Any], part: str) -> None:
    assert [name for name, operation in operations(document) if part not in operation] == []


def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and (name, status) != ("GET /readyz", "503"):  # the same document as its 200
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
                assert answer["x-codes"], (name, status)


def test_refusals_follow_from_the_declaration(document: dict[str, Any]) -> None:
    by_name = dict(operations(document))
    assert {"400", "401", "403", "409", "413", "415", "422", "429", "503"} <= set(
        by_name["POST /requests"]["responses"]
    )
    assert {"401", "403", "404", "409", "412"} <= set(by_name["PATCH /requests/{request_id}"]["responses"])
    assert by_name["POST /requests"]["requestBody"]["required"] is True
    assert {"Retry-After"} <= set(by_name["POST /requests"]["responses"]["429"]["headers"])
    assert "ETag" in by_name["GET /tasks"]["responses"]["200"]["headers"]
    assert "304" in by_name["GET /tasks"]["responses"]
    headers = {part["name"] for part in by_name["POST /requests"]["parameters"] if part["in"] == "header"}
    assert "Idempotency-Key" in headers


def test_every_group_of_calls_is_listed(document: dict[str, Any]) -> None:
    listed = [tag["name"] for tag in document["tags"]]
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == set(listed)
    assert len(listed) == len(set(listed))


def test_who_may_call_is_said(document: dict[str, Any]) -> None:
    by_name = dict(operations(document))
    assert by_name["GET /me"]["security"] == [{"bearer": []}]
    assert by_name["GET /healthz"]["security"] == []
    assert by_name["GET /tasks"]["security"] == [{"bearer": []}, {}]
    assert {"refreshCookie": [], "csrf": []} in by_name["POST /token/refresh"]["security"]


def test_files_are_binary_parts_of_a_form(document: dict[str, Any]) -> None:
    content = dict(operations(document))["POST /add_professional"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    form = document["components"]["schemas"][content["multipart/form-data"]["schema"]["$ref"].rsplit("/", 1)[1]]
    assert form["properties"]["document"]["format"] == "binary"
    assert form["properties"]["task_ids"]["type"] == "array"


def test_lists_are_wrapped(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["TaskPage"]
    assert schema["required"] == ["items", "next_cursor"]
    assert schema["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Task"}


def test_it_is_read_again_only_when_it_changed(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


class TestPage:
    """/docs: a page to read and try it, with no reach to the net."""

    def test_it_loads_nothing_from_elsewhere(self, client: FlaskClient) -> None:
        page = client.get("/docs")
        assert page.mimetype == "text/html"
        parts = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
        assert parts
        assert all(part.startswith(("/", "#")) for part in parts)
        for part in (part for part in parts if part.startswith("/docs/")):
            answer = client.get(part)
            assert answer.status_code == 200
            assert "http" not in re.sub(r"https?://json-schema\S*", "", answer.get_data(as_text=True))

    def test_its_policy_is_strict(self, client: FlaskClient) -> None:
        policy = client.get("/docs").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy

    @pytest.mark.parametrize("name", ["none.js", "..", "../errors.py", "%2e%2e%2ferrors.py"])
    def test_only_its_own_files_are_served(self, client: FlaskClient, name: str) -> None:
        assert client.get(f"/docs/{name}").status_code == 404
