"""Every error response is an RFC 9457 problem, as in production; no input causes a 500."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.core import errors
from backend.core.db.session import db
from tests.api.conftest import MakeApp
from tests.factories.problems import assert_problem
from tests.factories.users import PASSWORD, Users

SIGN_IN = "/check"

KINDS = [
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DomainError) and kind is not errors.DomainError
]  # fmt: skip


class TestFramework:
    """Errors raised by Werkzeug, Flask and Flask-RESTful."""

    @pytest.mark.parametrize("path", ["/nowhere", "/tasks/", "/requests/0", "/requests/-1", "/app/assets/none.js"])
    def test_unknown_path_returns_404(self, production: FlaskClient, path: str) -> None:
        assert_problem(production.get(path), 404, "not_found")

    @pytest.mark.parametrize(
        "number", ["\u0663", "\u0967\u0968", "9" * 19, "9" * 40, "1e3", "0x10", "1.0", "+1", "%001", "1%00", "01"]
    )
    def test_id_of_invalid_format_returns_404(self, production: FlaskClient, number: str) -> None:
        assert_problem(production.get(f"/tasks/{number}"), 404, "not_found")

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "GET", "TRACE", "BREW"])
    def test_unsupported_method_returns_405_with_allow(self, production: FlaskClient, method: str) -> None:
        answer = production.open(SIGN_IN, method=method)
        assert_problem(answer, 405, "method_not_allowed")
        assert {part.strip() for part in answer.headers["Allow"].split(",")} == {"OPTIONS", "POST"}

    def test_options_returns_allowed_methods(self, production: FlaskClient) -> None:
        answer = production.options("/healthz")
        assert answer.status_code == 200
        assert {part.strip() for part in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}

    def test_head_returns_headers_of_get_without_body(self, production: FlaskClient) -> None:
        answer = production.head("/healthz")
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["ETag"] == production.get("/healthz").headers["ETag"]

    def test_body_over_limit_returns_413(self, production: FlaskClient) -> None:
        answer = production.post(SIGN_IN, data=b'"' + b"a" * 7_000_000 + b'"', content_type="application/json")
        assert_problem(answer, 413, "too_large")

    def test_json_body_over_json_limit_returns_413(self, production: FlaskClient) -> None:
        answer = production.post(
            SIGN_IN, data=b'{"username": "' + b"a" * (1 << 20) + b'"}', content_type="application/json"
        )
        assert_problem(answer, 413, "too_large")

    def test_long_url_returns_404_or_422(self, production: FlaskClient) -> None:
        assert_problem(production.get("/" + "a" * 60_000), 404)
        assert_problem(production.get("/healthz?" + "a=1&" * 10_000), 422)


class TestDomain:
    """Domain errors, unexpected errors and database errors."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_domain_error_of_each_kind_is_rendered_as_problem(
        self, make: MakeApp, kind: type[errors.DomainError]
    ) -> None:
        answer = self._answer(make(), kind("The name is invalid.", errors={"name": ["Invalid."]}))
        problem = assert_problem(answer, kind.status, kind.code)
        assert (problem["detail"], problem["errors"]) == ("The name is invalid.", {"name": ["Invalid."]})

    def test_unexpected_error_returns_500_without_internal_details(self, make: MakeApp) -> None:
        answer = self._answer(make(), RuntimeError("an internal detail"))
        assert_problem(answer, 500, "internal_error")
        assert "internal detail" not in answer.get_data(as_text=True)

    def test_value_that_database_rejects_returns_422(self, make: MakeApp) -> None:
        answer = self._answer(make(), lambda: db.session.execute(text("SELECT CAST(:n AS int)"), {"n": "x"}))
        assert_problem(answer, 422, "invalid_fields")

    def test_unreachable_database_returns_503_while_healthz_returns_200(self, make: MakeApp) -> None:
        client = make(DATABASE_URL="postgresql://nobody:x@127.0.0.1:9/none").test_client()
        answer = client.post(SIGN_IN, json={"username": "asha", "password": PASSWORD})
        assert_problem(answer, 503, "unavailable")
        assert client.get("/healthz").status_code == 200

    @staticmethod
    def _answer(app: Flask, what: Exception | Callable[[], Any]) -> TestResponse:
        def view() -> str:
            if isinstance(what, Exception):
                raise what
            what()
            return "done"

        app.add_url_rule("/raise", "raise", view)
        return app.test_client().get("/raise")


BODIES = {
    "nothing": b"",
    "not JSON": b"{",
    "no UTF-8": b'{"username": "\xff\xfe"}',
    "a lone surrogate": b'{"username": "\\ud800", "password": "x"}',
    "nested too deeply": b'{"username": ' * 50_000,
    "list nested too deeply": b"[" * 100_000 + b"]" * 100_000,
    "an infinite number": b'{"username": 1e999, "password": "x"}',
    "NaN": b'{"username": NaN}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}
WRONG = {
    "a list": b"[]",
    "a string": b'"text"',
    "null": b"null",
    "a bigint": b'{"username": ' + b"9" * 300 + b', "password": "x"}',
    "nested": b'{"username": {"$gt": ""}, "password": ["x"]}',
    "unknown fields": b'{"username": "a", "password": "b", "isactive": 1, "role": "admin"}',
    "key twice, the last counts": b'{"username": "a", "password": "b", "username": 1}',
    "an empty name": b'{"": 1}',
}


class TestBodies:
    @pytest.mark.parametrize("path", ["/logout", "/requests/1/accept", "/requests/1/complete"])
    def test_call_without_input_rejects_body_fields_and_malformed_json(
        self, production: FlaskClient, users: Users, path: str
    ) -> None:
        who = users.professional().headers
        answer = production.post(path, json={"price": "1.00"}, headers=who)
        assert list(assert_problem(answer, 422)["errors"]) == ["price"]
        assert_problem(production.post(path, data="{", content_type="application/json", headers=who), 400, "not_json")
        assert production.post(path, json={}, headers=who).status_code in (204, 404)

    """What calls bring."""

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
    def test_malformed_json_body_returns_not_json(self, production: FlaskClient, body: bytes) -> None:
        assert_problem(production.post(SIGN_IN, data=body, content_type="application/json"), 400, "not_json")

    @pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
    def test_json_body_of_wrong_shape_returns_field_errors(self, production: FlaskClient, body: bytes) -> None:
        problem = assert_problem(production.post(SIGN_IN, data=body, content_type="application/json"), 422)
        assert problem["errors"]
        assert all(isinstance(messages, list) for messages in problem["errors"].values())

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
    def test_body_of_unsupported_content_type_returns_415(self, production: FlaskClient, kind: str) -> None:
        answer = production.post(SIGN_IN, data=b'{"username": "a", "password": "b"}', content_type=kind)
        assert_problem(answer, 415, "unsupported_type")

    def test_malformed_multipart_body_returns_400_or_422(self, production: FlaskClient) -> None:
        for body in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nz\r\n--x--", b"\x00" * 50):
            answer = production.post("/add_professional", data=body, content_type="multipart/form-data; boundary=x")
            assert_problem(answer, answer.status_code)
            assert answer.status_code in (400, 422)

    @pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\u202egpj", "", "  ", "x" * 101, 5, None, [], {}, True])
    def test_sign_up_with_invalid_firstname_names_the_field(
        self, production: FlaskClient, users: Users, name: object
    ) -> None:
        answer = production.post("/add_customer", json=users.fields(firstname=name))
        assert list(assert_problem(answer, 422, "invalid_fields")["errors"]) == ["firstname"]

    @pytest.mark.parametrize("name", ["a\x00b", "\uff41\uff53\uff48\uff41\x00", "x" * 255])
    def test_sign_in_with_invalid_username_returns_401_or_422(self, production: FlaskClient, name: str) -> None:
        answer = production.post(SIGN_IN, json={"username": name, "password": "x"})
        assert_problem(answer, answer.status_code)
        assert answer.status_code in (401, 422)

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=",
            "limit=\u0661",
            "limit=5&limit=6",
            "limit=" + "9" * 400,
            "limit=1e1",
            "limit=-1",
            "cursor=none",
            "cursor=%00",
            "cursor=",
            "cursor=%ED%A0%80",
            "unknown=1",
            "%00=%00",
        ],
    )
    def test_invalid_query_parameters_return_field_errors(self, production: FlaskClient, query: str) -> None:
        assert assert_problem(production.get(f"/tasks?{query}"), 422)["errors"]
