"""Concurrent account recovery and changes: one outcome and no deadlock."""

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
from tests.factories.users import PASSWORD, User, Users, Visitor

pytestmark = pytest.mark.faults
NEW = "another good one 77"


def link(kind: str) -> str:
    db.session.rollback()
    newest = select(Delivery.params).where(Delivery.kind == kind).order_by(Delivery.id.desc()).limit(1)
    return str(db.session.execute(newest).scalar_one()["link"]).partition("#token=")[2]


def call(app: Flask, path: str, body: dict[str, Any] | None, token: str | None = None) -> Callable[[], list[int]]:
    visitor = Visitor(app.test_client(), token)
    return lambda: [visitor.post(path, body).status_code]


def with_changed_email(users: Users) -> tuple[User, str]:
    """Return a user whose email was just changed, and the token that undoes the change."""
    asha = users.customer()
    assert asha.patch("/me", {"email": f"thief-{asha.username}@example.net"}).status_code == 200
    return asha, link("email_changed")


def email_of(user: User) -> str:
    db.session.rollback()
    return db.session.execute(select(Account.email).where(Account.id == user.id)).scalar_one()


def test_email_undo_used_concurrently_succeeds_once(wide_app: Flask, users: Users) -> None:
    asha, token = with_changed_email(users)
    results = at_once(wide_app, [call(wide_app, "/email/undo", {"token": token}) for _ in range(8)])
    assert sorted(code for codes in results for code in codes) == [204] + [422] * 7
    assert email_of(asha) == f"{asha.username}@example.org"


@pytest.mark.parametrize("turn", range(6))
def test_email_undo_concurrent_with_password_reset_restores_email_and_ends_sessions(
    wide_app: Flask, users: Users, turn: int
) -> None:
    """In either order the email is restored and no session remains."""
    asha, token = with_changed_email(users)
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
    assert users.sign_in(asha.username, NEW if reset == [204] else PASSWORD).id == asha.id


@pytest.mark.parametrize("turn", range(4))
def test_email_undo_concurrent_with_another_email_change_restores_email(
    wide_app: Flask, users: Users, turn: int
) -> None:
    asha, token = with_changed_email(users)
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
def test_security_calls_concurrently_do_not_fail_and_invalidate_reset_link(
    wide_app: Flask, users: Users, turn: int
) -> None:
    asha, admin = users.customer(), users.admin()
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
    late = users.visitor().post("/password/reset", {"token": token, "password": NEW})
    assert late.json["code"] == "link_invalid"
