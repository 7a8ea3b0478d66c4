"""The OpenAPI document matches the API and suits generated clients; the /docs page that shows it."""

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


def test_openapi_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_openapi_document_lists_every_call(shared_app: Flask, document: dict[str, Any]) -> None:
    there = {
        f"{method} " + openapi_document.PARAMETER.sub(r"{\g<name>}", rule.rule)
        for rule in shared_app.url_map.iter_rules()
        if hasattr(shared_app.view_functions[rule.endpoint], "view_class")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {name for name, _ in operations(document)} == there


def test_endpoint_declaration_exists_for_every_handler(shared_app: Flask) -> None:
    for view in shared_app.view_functions.values():
        resource = getattr(view, "view_class", None)
        for method in METHODS if resource else ():
            handler = getattr(resource, method, None)
            assert handler is None or hasattr(handler, ATTRIBUTE), f"{resource}.{method} lacks @endpoint"


def test_openapi_operation_ids_are_unique_camel_case_words(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names), names


def test_openapi_operation_ids_of_documented_calls_are_stable(document: dict[str, Any]) -> None:
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
def test_openapi_operations_have_every_documented_part(document: dict[str, Any], part: str) -> None:
    assert [name for name, operation in operations(document) if part not in operation] == []


def test_openapi_error_responses_are_problems_with_codes(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and (name, status) != ("GET /readyz", "503"):  # the same document as its 200
                assert list(answer["content"]) == ["application/problem+json"], (name, status)
                assert answer["x-codes"], (name, status)


def test_openapi_responses_and_headers_follow_from_declaration(document: dict[str, Any]) -> None:
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


def test_openapi_tags_are_listed_once(document: dict[str, Any]) -> None:
    listed = [tag["name"] for tag in document["tags"]]
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == set(listed)
    assert len(listed) == len(set(listed))


def test_openapi_security_says_which_calls_need_a_token(document: dict[str, Any]) -> None:
    by_name = dict(operations(document))
    assert by_name["GET /me"]["security"] == [{"bearer": []}]
    assert by_name["GET /healthz"]["security"] == []
    assert by_name["GET /tasks"]["security"] == [{"bearer": []}, {}]
    assert {"refreshCookie": [], "csrf": []} in by_name["POST /token/refresh"]["security"]


def test_openapi_sign_up_form_has_binary_document_and_task_ids_array(document: dict[str, Any]) -> None:
    content = dict(operations(document))["POST /add_professional"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    form = document["components"]["schemas"][content["multipart/form-data"]["schema"]["$ref"].rsplit("/", 1)[1]]
    assert form["properties"]["document"]["format"] == "binary"
    assert form["properties"]["task_ids"]["type"] == "array"


def test_openapi_lists_are_pages_with_items_and_next_cursor(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["TaskPage"]
    assert schema["required"] == ["items", "next_cursor"]
    assert schema["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Task"}


def test_openapi_document_with_matching_if_none_match_returns_304(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


class TestPage:
    """The /docs page, which loads nothing from other hosts."""

    def test_docs_page_loads_only_own_resources(self, client: FlaskClient) -> None:
        page = client.get("/docs")
        assert page.mimetype == "text/html"
        parts = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
        assert parts
        assert all(part.startswith(("/", "#")) for part in parts)
        for part in (part for part in parts if part.startswith("/docs/")):
            answer = client.get(part)
            assert answer.status_code == 200
            assert "http" not in re.sub(r"https?://json-schema\S*", "", answer.get_data(as_text=True))

    def test_docs_page_has_strict_content_security_policy(self, client: FlaskClient) -> None:
        policy = client.get("/docs").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy

    @pytest.mark.parametrize("name", ["none.js", "..", "../errors.py", "%2e%2e%2ferrors.py"])
    def test_docs_page_serves_only_its_own_files(self, client: FlaskClient, name: str) -> None:
        assert client.get(f"/docs/{name}").status_code == 404
