"""Signing up over HTTP."""

from flask.testing import FlaskClient

from tests.factories.people import People


def test_a_customer_signs_up_and_is_active(client: FlaskClient, people: People) -> None:
    answer = client.post("/add_customer", json=people.fields("asha", pincode=560001))
    assert answer.status_code == 201
    assert answer.json["isactive"] == 1
    assert answer.json["pincode"] == "560001"
    assert "password" not in answer.json


def test_names_are_unique_whatever_their_case(client: FlaskClient, people: People) -> None:
    client.post("/add_customer", json=people.fields(username="Asha"))
    answer = client.post("/add_customer", json=people.fields(username="aSHA"))
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["username"]


def test_unknown_pincode_names_its_field(client: FlaskClient, people: People) -> None:
    answer = client.post("/add_customer", json=people.fields(pincode="999999"))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["pincode"])


def test_signing_out_kills_the_access_token(people: People) -> None:
    asha = people.customer()
    assert asha.post("/logout").status_code == 204
    answer = asha.post("/logout")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
