"""Responses do not reveal which emails have an account."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from backend.app import create_app
from backend.core.db.session import db
from backend.domain.notifications.models import Delivery
from backend.settings import Settings
from tests.factories.jobs import deliveries
from tests.factories.users import Users

Make = Callable[..., Flask]
OTHER = "quite another one 1"


@pytest.fixture
def make(app: Flask, environ: dict[str, str]) -> Iterator[Make]:
    """Return a factory of applications with their own limits, counted in memory."""
    made: list[Flask] = []

    def with_settings(**changes: str) -> Flask:
        limits = {"EMAIL_CHANGE_RATE_LIMIT": "", "EMAIL_TAKEN_RATE_LIMIT": "", "LIMITS_URL": "redis://127.0.0.1:9/0"}
        made.append(create_app(Settings.from_env({**environ, **limits, **changes})))
        return made[-1]

    yield with_settings
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def confirming(users: Users, monkeypatch: pytest.MonkeyPatch) -> Users:
    """Return the users of a marketplace that requires email confirmation."""
    settings = dataclasses.replace(users.app.extensions["settings"], email_confirmation=True)
    monkeypatch.setitem(users.app.extensions, "settings", settings)
    return users


def sign_up(app: Flask, fields: dict[str, Any], address: str) -> Any:
    return app.test_client().post("/add_customer", json=fields, environ_overrides={"REMOTE_ADDR": address})


def test_email_changes_over_hourly_limit_of_account_return_429(make: Make, users: Users) -> None:
    asha, ravi = users.customer(), users.customer()
    client = make().test_client()

    def change(email: str) -> int:
        return client.patch("/me", json={"email": email}, headers=asha.headers).status_code

    assert change(f"{asha.username}@EXAMPLE.org") == 200, "a change of case is not a change of email"
    assert [change(f"{ravi.username}@example.org") for _ in range(6)] == [422] * 5 + [429]
    assert change("free@example.net") == 429
    assert client.patch("/me", json={"firstname": "Asha"}, headers=asha.headers).status_code == 200


def test_sign_ups_with_taken_emails_over_hourly_limit_of_address_return_429(make: Make, users: Users) -> None:
    app = make()
    known = [f"{users.customer().username}@example.org" for _ in range(21)]
    for _ in range(3):
        assert sign_up(app, users.fields(email=known[0]), "203.0.113.1").json["code"] == "email_taken"
    codes = [sign_up(app, users.fields(email=email), "203.0.113.1").status_code for email in known]
    assert codes == [422] * 20 + [429], "repeating an email reveals nothing new"
    free = sign_up(app, users.fields(), "203.0.113.1")
    assert free.status_code == 429, "a response for free emails would reveal which are taken"
    assert int(free.headers["Retry-After"]) > 0
    assert sign_up(app, users.fields(), "203.0.113.2").status_code == 201


def test_taken_email_limit_counts_addresses_of_one_network_together(make: Make, users: Users) -> None:
    app = make(EMAIL_TAKEN_RATE_LIMIT="2 per hour")
    known = [f"{users.customer().username}@example.org" for _ in range(3)]
    codes = [sign_up(app, users.fields(email=email), f"2001:db8:1:1::{n}").status_code for n, email in enumerate(known)]
    assert codes == [422, 422, 429]
    assert sign_up(app, users.fields(), "2001:db8:2:1::1").status_code == 201


def test_taken_email_and_username_are_rejected_before_constraint_violation(users: Users) -> None:
    asha, ravi = users.customer(), users.customer()
    failed: list[str] = []

    def note(context: Any) -> None:
        failed.append(str(context.statement))

    event.listen(db.engine, "handle_error", note)
    try:
        answer = asha.patch("/me", {"email": f"{ravi.username}@example.org"})
        assert answer.json["code"] == "email_taken"
        assert "Sign in to it, or use another email." in answer.json["detail"]
        taken = users.visitor().post("/add_customer", users.fields(username=ravi.username.upper()))
        assert taken.json["errors"]["username"] == ["That username is taken. Choose another."]
    finally:
        event.remove(db.engine, "handle_error", note)
    assert failed == []


def test_sign_up_with_taken_email_and_confirmation_on_responds_as_with_free_one(confirming: Users) -> None:
    asha, visitor = _confirmed(confirming), confirming.visitor()
    taken = visitor.post("/add_customer", confirming.fields(email=asha, password=OTHER))
    free = visitor.post("/add_customer", confirming.fields(password=OTHER))
    assert taken.status_code == free.status_code == 201
    assert taken.json.keys() == free.json.keys()
    assert (taken.json["email"], taken.json["email_confirmed"]) == (asha, 0)
    for one in (taken, free):
        by_email = visitor.post("/check", {"username": one.json["email"], "password": OTHER})
        assert by_email.json["code"] == "invalid_credentials"
        user = confirming.sign_in(one.json["username"], OTHER)
        assert user.get("/me").json == one.json
        assert user.post("/me/email/confirmation").status_code == 202
    assert [one.params for one in deliveries(kind="email_in_use")] == [{"send_to": asha}] * 2
    assert deliveries(kind="email_confirmation", account_id=taken.json["id"]) == []
    assert len(deliveries(kind="email_confirmation", account_id=free.json["id"])) == 2


def test_email_change_to_taken_email_with_confirmation_on_responds_as_with_free_one(confirming: Users) -> None:
    asha, ravi = _confirmed(confirming), confirming.customer()
    answer = ravi.patch("/me", {"email": asha})
    assert (answer.status_code, answer.json["email"], answer.json["email_confirmed"]) == (200, asha, 0)
    assert ravi.get("/me").json == answer.json
    assert [one.params for one in deliveries(kind="email_in_use")] == [{"send_to": asha}]


def test_email_entered_by_two_accounts_belongs_to_first_that_confirms(confirming: Users) -> None:
    one, other, visitor = confirming.customer(), confirming.customer(), confirming.visitor()
    for user in (one, other):
        assert user.patch("/me", {"email": "both@example.net"}).status_code == 200
    links = select(Delivery.params).where(Delivery.kind == "email_confirmation").order_by(Delivery.id.desc()).limit(2)
    tokens = [str(params["link"]).partition("#token=")[2] for params in db.session.execute(links).scalars()]
    assert visitor.post("/email/confirm", {"token": tokens[0]}).status_code == 204
    late = visitor.post("/email/confirm", {"token": tokens[1]})
    assert (late.status_code, late.json["code"]) == (422, "email_taken")
    assert confirming.sign_in("both@example.net").id == other.id


def _confirmed(users: Users) -> str:
    """Return the email of a new account that confirmed it."""
    fields = users.fields()
    assert users.visitor().post("/add_customer", fields).status_code == 201
    newest = select(Delivery.params).where(Delivery.kind == "email_confirmation").order_by(Delivery.id.desc()).limit(1)
    token = str(db.session.execute(newest).scalar_one()["link"]).partition("#token=")[2]
    assert users.visitor().post("/email/confirm", {"token": token}).status_code == 204
    return str(fields["email"])
