"""People for tests, made through the same rules as everyone."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from backend.core.authz import Role
from backend.core.database import transaction
from backend.domain.accounts.actions import NewAccount, sign_up

PASSWORD = "correct horse battery 9"
BENGALURU = "560001"


@dataclass(frozen=True, slots=True)
class Person:
    """An account and a way to call as it."""

    id: int
    username: str
    role: str
    client: FlaskClient
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(path, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        return self.client.post(path, json=json, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def patch(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        return self.client.patch(path, json=json, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        return self.client.put(path, json=json, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        return self.client.delete(path, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)


class People:
    """Makes people with names of their own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._number = count(1)

    def customer(self, **changes: Any) -> Person:
        return self._signed_in(Role.CUSTOMER, **changes)

    def admin(self, **changes: Any) -> Person:
        return self._signed_in(Role.ADMIN, **changes)

    def _signed_in(self, role: Role, **changes: Any) -> Person:
        fields = self.fields(role.value, **changes)
        with transaction():
            sign_up(NewAccount(**fields), role=role)
        return self.sign_in(fields["username"])

    def fields(self, kind: str = "person", **changes: Any) -> dict[str, Any]:
        """What a sign-up asks for, unique each time."""
        name = f"{kind}{next(self._number)}"
        return {
            "username": name,
            "email": f"{name}@example.org",
            "password": PASSWORD,
            "firstname": name.capitalize(),
            "lastname": "Rao",
            "address": "12 MG Road",
            "pincode": BENGALURU,
            **changes,
        }

    def sign_in(self, username: str, password: str = PASSWORD) -> Person:
        """A person over HTTP, with an access token."""
        client = self.app.test_client()
        answer = client.post("/check", json={"username": username, "password": password, "client": "api"})
        assert answer.status_code == 200, answer.json
        body = answer.json
        return Person(body["user"]["id"], username, body["role"], client, body["access_token"])
