"""Signing up over HTTP."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories.people import People


def body(answer: TestResponse) -> dict[str, Any]:
    """The answer's JSON, which must be an object."""
    found = answer.get_json()
    assert isinstance(found, dict)
    return found


def test_a_customer_signs_up_and_is_active(client: FlaskClient, people: People) -> None:
    answer = client.post("/add_customer", json=people.fields("asha", pincode=560001))
    assert answer.status_code == 201
    assert body(answer)["isactive"] == 1
    assert body(answer)["pincode"] == "560001"
    assert "password" not in body(answer)


def test_names_are_unique_whatever_their_case(client: FlaskClient, people: People) -> None:
    client.post("/add_customer", json=people.fields(username="Asha"))
    answer = client.post("/add_customer", json=people.fields(username="aSHA"))
    assert answer.status_code == 422
    assert list(body(answer)["errors"]) == ["username"]


def test_unknown_pincode_names_its_field(client: FlaskClient, people: People) -> None:
    answer = client.post("/add_customer", json=people.fields(pincode="999999"))
    assert (answer.status_code, list(body(answer)["errors"])) == (422, ["pincode"])


def test_signing_out_kills_the_access_token(people: People) -> None:
    asha = people.customer()
    assert asha.post("/logout").status_code == 204
    answer = asha.post("/logout")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
