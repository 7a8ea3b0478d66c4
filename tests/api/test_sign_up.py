"""Sign-up over HTTP."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories.users import Users


def body(answer: TestResponse) -> dict[str, Any]:
    """Return the response's JSON, which must be an object."""
    found = answer.get_json()
    assert isinstance(found, dict)
    return found


def test_sign_up_as_customer_creates_active_account(client: FlaskClient, users: Users) -> None:
    answer = client.post("/add_customer", json=users.fields("asha", pincode=560001))
    assert answer.status_code == 201
    assert body(answer)["isactive"] == 1
    assert body(answer)["pincode"] == "560001"
    assert "password" not in body(answer)


def test_sign_up_with_username_in_other_case_is_rejected(client: FlaskClient, users: Users) -> None:
    client.post("/add_customer", json=users.fields(username="Asha"))
    answer = client.post("/add_customer", json=users.fields(username="aSHA"))
    assert answer.status_code == 422
    assert list(body(answer)["errors"]) == ["username"]


def test_sign_up_with_unknown_pincode_names_the_field(client: FlaskClient, users: Users) -> None:
    answer = client.post("/add_customer", json=users.fields(pincode="999999"))
    assert (answer.status_code, list(body(answer)["errors"])) == (422, ["pincode"])


def test_logout_repeated_with_same_token_returns_401(users: Users) -> None:
    asha = users.customer()
    assert asha.post("/logout").status_code == 204
    answer = asha.post("/logout")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
