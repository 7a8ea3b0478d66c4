"""Calls the running product over HTTP as one user."""

import itertools
from typing import Any, Self

import requests

from tests.waiting import HANG_SECONDS

ADMIN_PASSWORD = "an admin's long password"
PASSWORD = "correct horse battery 9"
BENGALURU = "560001"
_numbers = itertools.count(1)


class Caller:
    """A user with a separate session, or a visitor."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.account: dict[str, Any] = {}
        self.token: str | None = None
        self._http = requests.Session()
        self._http.trust_env = False

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self._http.request(method, self.base + path, timeout=HANG_SECONDS, **kwargs)

    def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        return _body(self.call("GET", path, params=query), status)

    def post(self, path: str, json: Any = None, *, status: int = 200, **kwargs: Any) -> Any:
        return _body(self.call("POST", path, json=json, **kwargs), status)

    def put(self, path: str, json: Any = None, *, status: int = 200, **kwargs: Any) -> Any:
        return _body(self.call("PUT", path, json=json, **kwargs), status)

    def patch(self, path: str, json: Any = None, *, status: int = 200, **kwargs: Any) -> Any:
        return _body(self.call("PATCH", path, json=json, **kwargs), status)

    def sign_in(self, username: str, password: str = PASSWORD) -> Self:
        answer = self.post("/check", {"username": username, "password": password, "client": "api"})
        self.account = answer["user"]
        self.token = answer["access_token"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        return self

    def sign_up(self, kind: str = "customer", **changes: Any) -> Self:
        """Sign up as a new customer or professional, and sign in."""
        fields = {**sign_up_fields(kind), **changes}
        self.post(f"/add_{kind}", fields, status=201)
        return self.sign_in(fields["username"])


def sign_up_fields(kind: str) -> dict[str, Any]:
    """Return the fields of a sign-up, unique at each call."""
    name = f"{kind}{next(_numbers)}"
    fields: dict[str, Any] = {
        "username": name,
        "email": f"{name}@example.org",
        "password": PASSWORD,
        "firstname": "Asha" if kind == "customer" else "Ravi",
        "lastname": "Rao",
        "address": "12 MG Road",
        "pincode": BENGALURU,
    }
    return fields if kind == "customer" else {**fields, "exp": 5, "compname": "Rao and Sons"}


def _body(answer: requests.Response, status: int) -> Any:
    line = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:800]}"
    assert answer.status_code == status, line
    return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content
