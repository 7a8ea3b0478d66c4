"""Recovering an account while someone else works on it: one order, one outcome, no deadlock."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.core.db.session import db, transaction
from backend.domain.accounts import sign_in
from backend.domain.accounts.models import Account
from backend.domain.notifications.models import Delivery
from tests.factories.crowd import at_once
from tests.factories.people import PASSWORD, People, Person, Visitor

pytestmark = pytest.mark.faults
NEW = "another good one 77"


def link(kind: str) -> str:
    db.session.rollback()
    newest = select(Delivery.params).where(Delivery.kind == kind).order_by(Delivery.id.desc()).limit(1)
    return str(db.session.execute(newest).scalar_one()["link"]).partition("#token=")[2]


def call(app: Flask, path: str, body: dict[str, Any] | None, token: str | None = None) -> Callable[[], list[int]]:
    visitor = Visitor(app.test_client(), token)
    return lambda: [visitor.post(path, body).status_code]


def moved(people: People) -> tuple[Person, str]:
    """Someone whose email was just changed, and the token that undoes it."""
    asha = people.customer()
    assert asha.patch("/me", {"email": f"thief-{asha.username}@example.net"}).status_code == 200
    return asha, link("email_changed")


def email_of(person: Person) -> str:
    db.session.rollback()
    return db.session.execute(select(Account.email).where(Account.id == person.id)).scalar_one()


def test_an_undo_link_used_many_times_at_once_works_once(wide_app: Flask, people: People) -> None:
    asha, token = moved(people)
    results = at_once(wide_app, [call(wide_app, "/email/undo", {"token": token}) for _ in range(8)])
    assert sorted(code for codes in results for code in codes) == [204] + [422] * 7
    assert email_of(asha) == f"{asha.username}@example.org"


@pytest.mark.parametrize("turn", range(6))
def test_undoing_while_the_password_is_reset(wide_app: Flask, people: People, turn: int) -> None:
    """Whichever comes first, the email is the owner's again and no session is left."""
    asha, token = moved(people)
    with transaction():
        sign_in.mail_reset_link(f"{asha.username}@example.org")
    works = [
        call(wide_app, "/email/undo", {"token": token}),
        call(wide_app, "/password/reset", {"token": link("password_reset"), "password": NEW}),
    ]
    results = at_once(wide_app, works[:: 1 if turn % 2 else -1])
    undone, reset = results if turn % 2 else results[::-1]
    assert undone == [204]
    assert reset in ([204], [422])
    assert email_of(asha) == f"{asha.username}@example.org"
    assert asha.get("/me").status_code == 401
    assert people.sign_in(asha.username, NEW if reset == [204] else PASSWORD).id == asha.id


@pytest.mark.parametrize("turn", range(4))
def test_undoing_while_the_thief_changes_the_email_again(wide_app: Flask, people: People, turn: int) -> None:
    asha, token = moved(people)
    again = Visitor(wide_app.test_client(), asha.token)

    def change() -> list[int]:
        return [again.patch("/me", {"email": f"second-{asha.username}@example.net"}).status_code]

    works = [call(wide_app, "/email/undo", {"token": token}), change]
    results = at_once(wide_app, works[:: 1 if turn % 2 else -1])
    undone, changed = results if turn % 2 else results[::-1]
    assert undone == [204]
    assert changed in ([200], [401])
    assert asha.get("/me").status_code == 401
    assert email_of(asha) == f"{asha.username}@example.org"


@pytest.mark.parametrize("turn", range(6))
def test_everything_that_ends_links_and_sessions_at_once(wide_app: Flask, people: People, turn: int) -> None:
    asha, admin = people.customer(), people.admin()
    with transaction():
        sign_in.mail_reset_link(f"{asha.username}@example.org")
    token = link("password_reset")
    works = [
        call(wide_app, "/password/reset", {"token": token, "password": NEW}),
        call(wide_app, "/logout/everywhere", None, asha.token),
        call(wide_app, "/me/password", {"current_password": PASSWORD, "password": "a third one 99"}, asha.token),
        call(wide_app, f"/users/{asha.id}/end_sessions", None, admin.token),
        call(wide_app, "/check", {"username": asha.username, "password": PASSWORD, "client": "api"}),
    ]
    codes = [code for result in at_once(wide_app, works[turn % 5 :] + works[: turn % 5]) for code in result]
    assert not [code for code in codes if code >= 500], codes
    late = people.visitor().post("/password/reset", {"token": token, "password": NEW})
    assert late.json["code"] == "link_invalid"
