"""Users for tests, created through the rules that apply to all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from backend.core.db.session import transaction
from backend.core.security.authz import SYSTEM, Role
from backend.domain.accounts.actions import NewAccount, sign_up
from backend.domain.documents import actions as documents
from backend.domain.documents.inspection import Inspected
from backend.domain.professionals import actions as professionals
from tests.factories.files import picture

PASSWORD = "correct horse battery 9"
BENGALURU = "560001"


class Caller:
    """Someone who calls the API; a visitor as long as no token is set."""

    client: FlaskClient
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

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


@dataclass
class Visitor(Caller):
    """Someone without an account."""

    client: FlaskClient
    token: str | None = None


@dataclass
class User(Caller):
    """An account and a way to call as it."""

    id: int
    username: str
    role: str
    client: FlaskClient
    token: str | None


class Users:
    """Creates users with names of their own, numbered from ``first`` on."""

    def __init__(self, app: Flask, *, first: int = 1) -> None:
        self.app = app
        self._number = count(first)

    def customer(self, **changes: Any) -> User:
        return self._signed_in(Role.CUSTOMER, **changes)

    def admin(self, **changes: Any) -> User:
        return self._signed_in(Role.ADMIN, **changes)

    def professional(
        self,
        *,
        approved: bool = True,
        has_document: bool | None = None,
        exp: int = 5,
        compname: str = "Rao and Sons",
        task_ids: Sequence[int] = (),
        pincodes: Sequence[str] = (),
        radius_km: int | None = None,
        **changes: Any,
    ) -> User:
        """A professional whose document was approved; one who is not approved has none, unless ``has_document``."""
        fields = self.fields("professional", **changes)
        inspected = Inspected(picture(), "image/png", 1)
        stores = approved if has_document is None else has_document
        document = documents.store(inspected, filename="proof.png") if stores else None
        with transaction():
            trade = professionals.NewProfile(exp=exp, compname=compname, task_ids=task_ids)
            account = professionals.sign_up(NewAccount(**fields), trade=trade, document=document)
            if pincodes or radius_km:
                professionals.edit(account.id, pincodes=list(pincodes), radius_km=radius_km)
            if approved:
                professionals.approve(SYSTEM, professional_id=account.id)
        return self.sign_in(fields["username"])

    def trade_fields(self, **changes: Any) -> dict[str, Any]:
        """What a professional's sign-up asks for, unique each time."""
        return {**self.fields("professional"), "exp": 4, "compname": "Asha Repairs", **changes}

    def _signed_in(self, role: Role, **changes: Any) -> User:
        fields = self.fields(role.value, **changes)
        with transaction():
            sign_up(NewAccount(**fields), role=role)
        return self.sign_in(fields["username"])

    def fields(self, kind: str = "user", **changes: Any) -> dict[str, Any]:
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

    def sign_in(self, username: str, password: str = PASSWORD) -> User:
        """Return a signed-in user of the API, with an access token."""
        visitor = self.visitor()
        answer = visitor.post("/check", {"username": username, "password": password, "client": "api"})
        assert answer.status_code == 200, answer.json
        body = answer.json
        return User(body["user"]["id"], username, body["role"], visitor.client, body["access_token"])

    def visitor(self) -> Visitor:
        """Someone without an account, with cookies of their own."""
        return Visitor(self.app.test_client())
