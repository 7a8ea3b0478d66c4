"""Every refusal is an RFC 9457 problem, as in production: no input of any kind gets a 500."""

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
from tests.factories.people import PASSWORD, People
from tests.factories.problems import assert_problem

SIGN_IN = "/check"

KINDS = [
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DomainError) and kind is not errors.DomainError
]  # fmt: skip


class TestFramework:
    """What Werkzeug, Flask and Flask-RESTful raise."""

    @pytest.mark.parametrize("path", ["/nowhere", "/tasks/", "/requests/0", "/requests/-1", "/app/assets/none.js"])
    def test_an_address_that_is_not_there(self, production: FlaskClient, path: str) -> None:
        assert_problem(production.get(path), 404, "not_found")

    @pytest.mark.parametrize(
        "number", ["\u0663", "\u0967\u0968", "9" * 19, "9" * 40, "1e3", "0x10", "1.0", "+1", "%001", "1%00", "01"]
    )
    def test_an_id_of_the_wrong_form_is_not_there(self, production: FlaskClient, number: str) -> None:
        assert_problem(production.get(f"/tasks/{number}"), 404, "not_found")

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "GET", "TRACE", "BREW"])
    def test_a_method_that_is_not_there_names_those_that_are(self, production: FlaskClient, method: str) -> None:
        answer = production.open(SIGN_IN, method=method)
        assert_problem(answer, 405, "method_not_allowed")
        assert {part.strip() for part in answer.headers["Allow"].split(",")} == {"OPTIONS", "POST"}

    def test_options_tells_what_there_is(self, production: FlaskClient) -> None:
        answer = production.options("/healthz")
        assert answer.status_code == 200
        assert {part.strip() for part in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}

    def test_head_is_get_without_a_body(self, production: FlaskClient) -> None:
        answer = production.head("/healthz")
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["ETag"] == production.get("/healthz").headers["ETag"]

    def test_a_body_beyond_the_limit(self, production: FlaskClient) -> None:
        answer = production.post(SIGN_IN, data=b'"' + b"a" * 7_000_000 + b'"', content_type="application/json")
        assert_problem(answer, 413, "too_large")

    def test_a_json_body_has_a_limit_of_its_own(self, production: FlaskClient) -> None:
        answer = production.post(
            SIGN_IN, data=b'{"username": "' + b"a" * (1 << 20) + b'"}', content_type="application/json"
        )
        assert_problem(answer, 413, "too_large")

    def test_a_long_address(self, production: FlaskClient) -> None:
        assert_problem(production.get("/" + "a" * 60_000), 404)
        assert_problem(production.get("/healthz?" + "a=1&" * 10_000), 422)


class TestDomain:
    """Errors that rules raise, and what nobody foresaw."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind(self, make: MakeApp, kind: type[errors.DomainError]) -> None:
        answer = self._answer(make(), kind("So it is.", errors={"name": ["Not so."]}))
        problem = assert_problem(answer, kind.status, kind.code)
        assert (problem["detail"], problem["errors"]) == ("So it is.", {"name": ["Not so."]})

    def test_what_nobody_foresaw_says_nothing_of_the_inside(self, make: MakeApp) -> None:
        answer = self._answer(make(), RuntimeError("a secret of the inside"))
        assert_problem(answer, 500, "internal_error")
        assert "inside" not in answer.get_data(as_text=True)

    def test_a_value_that_the_database_cannot_hold(self, make: MakeApp) -> None:
        answer = self._answer(make(), lambda: db.session.execute(text("SELECT CAST(:n AS int)"), {"n": "x"}))
        assert_problem(answer, 422, "invalid_fields")

    def test_a_database_that_is_away(self, make: MakeApp) -> None:
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
    "deep": b'{"username": ' * 50_000,
    "deep list": b"[" * 100_000 + b"]" * 100_000,
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
    def test_a_call_that_reads_no_body_takes_no_field(self, production: FlaskClient, people: People, path: str) -> None:
        who = people.professional().headers
        answer = production.post(path, json={"price": "1.00"}, headers=who)
        assert list(assert_problem(answer, 422)["errors"]) == ["price"]
        assert_problem(production.post(path, data="{", content_type="application/json", headers=who), 400, "not_json")
        assert production.post(path, json={}, headers=who).status_code in (204, 404)

    """What calls bring."""

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
    def test_what_is_not_json(self, production: FlaskClient, body: bytes) -> None:
        assert_problem(production.post(SIGN_IN, data=body, content_type="application/json"), 400, "not_json")

    @pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
    def test_json_that_is_not_what_was_asked_for(self, production: FlaskClient, body: bytes) -> None:
        problem = assert_problem(production.post(SIGN_IN, data=body, content_type="application/json"), 422)
        assert problem["errors"]
        assert all(isinstance(messages, list) for messages in problem["errors"].values())

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
    def test_another_type(self, production: FlaskClient, kind: str) -> None:
        answer = production.post(SIGN_IN, data=b'{"username": "a", "password": "b"}', content_type=kind)
        assert_problem(answer, 415, "unsupported_type")

    def test_a_broken_form(self, production: FlaskClient) -> None:
        for body in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nz\r\n--x--", b"\x00" * 50):
            answer = production.post("/add_professional", data=body, content_type="multipart/form-data; boundary=x")
            assert_problem(answer, answer.status_code)
            assert answer.status_code in (400, 422)

    @pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\u202egpj", "", "  ", "x" * 101, 5, None, [], {}, True])
    def test_names_that_cannot_be(self, production: FlaskClient, people: People, name: object) -> None:
        answer = production.post("/add_customer", json=people.fields(firstname=name))
        assert list(assert_problem(answer, 422, "invalid_fields")["errors"]) == ["firstname"]

    @pytest.mark.parametrize("name", ["a\x00b", "\uff41\uff53\uff48\uff41\x00", "x" * 255])
    def test_nobody_signs_in_by_such_a_name(self, production: FlaskClient, name: str) -> None:
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
    def test_query_strings(self, production: FlaskClient, query: str) -> None:
        assert assert_problem(production.get(f"/tasks?{query}"), 422)["errors"]
