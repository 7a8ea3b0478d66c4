"""Concurrent calls about one account: all get a response, and none undoes another."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.factories.crowd import at_once
from tests.factories.files import form, picture
from tests.factories.requests import RequestMarket
from tests.factories.users import PASSWORD, User, Users, Visitor

pytestmark = pytest.mark.faults


def status(work: Callable[[], Any]) -> list[int]:
    return [work().status_code]


def separate_client(app: Flask, who: User) -> Visitor:
    """Return a new client for the user, as clients are not thread-safe."""
    return Visitor(app.test_client(), who.token)


@pytest.mark.parametrize("turn", range(6))
def test_direct_request_concurrent_with_block_is_not_left_with_blocked_professional(
    wide_app: Flask, users: Users, turn: int
) -> None:
    market, asha, admin = RequestMarket(users), users.customer(), users.admin()
    ravi = market.professional()
    ask = partial(separate_client(wide_app, asha).post, "/requests", market.body(professional_id=ravi.id))
    block = partial(separate_client(wide_app, admin).post, f"/users/{ravi.id}/block", {"reason": "fraud"})
    works = [partial(status, ask), partial(status, block)]
    codes = [code for result in at_once(wide_app, works[:: 1 if turn % 2 else -1]) for code in result]
    assert sorted(codes) in ([200, 201], [200, 422])
    assert [one["asked_professional_id"] for one in asha.get("/requests").json["items"]] in ([], [None])


@pytest.mark.parametrize("turn", range(6))
def test_document_uploads_decisions_and_edits_concurrently_do_not_deadlock(
    wide_app: Flask, users: Users, turn: int
) -> None:
    ravi, admin = users.professional(approved=False), users.admin()
    assert ravi.put("/me/document", **form(picture())).status_code == 200
    one, two, three = (separate_client(wide_app, ravi) for _ in range(3))
    works = [
        partial(status, lambda: one.put("/me/document", **form(picture()))),
        partial(status, lambda: two.put("/me/document", **form(picture("JPEG")))),
        partial(status, lambda: three.patch("/me", {"exp": 9, "firstname": "Ravi"})),
        partial(status, partial(separate_client(wide_app, admin).post, f"/professionals/{ravi.id}/approve")),
    ]
    codes = [code for result in at_once(wide_app, works) for code in result]
    assert sorted(codes[:2]) in ([200, 200], [200, 429]), "one upload of an account is processed at a time"
    assert codes[2:] == [200, 200]
    assert ravi.get("/me/document").status_code == 200


def test_change_password_concurrently_succeeds_once(wide_app: Flask, users: Users) -> None:
    asha = users.customer()
    bodies = [{"current_password": PASSWORD, "password": f"a new one of many {number}"} for number in range(3)]
    works = [partial(status, partial(separate_client(wide_app, asha).post, "/me/password", body)) for body in bodies]
    codes = [code for result in at_once(wide_app, works) for code in result]
    assert sorted(codes) == [204, 422, 422]


@pytest.mark.parametrize("turn", range(4))
def test_sign_in_concurrent_with_password_change_leaves_no_valid_session(
    wide_app: Flask, users: Users, turn: int
) -> None:
    asha = users.customer()
    body = {"username": asha.username, "password": PASSWORD, "client": "api"}
    new = {"current_password": PASSWORD, "password": "quite another one 1"}
    works: list[Callable[[], list[Any]]] = [
        lambda: [Visitor(wide_app.test_client()).post("/check", body)],
        partial(status, partial(separate_client(wide_app, asha).post, "/me/password", new)),
    ]
    results = at_once(wide_app, works if turn % 2 else works[::-1])
    answer = results[0 if turn % 2 else 1][0]
    assert answer.status_code in (200, 401)
    if answer.status_code == 200:
        assert Visitor(wide_app.test_client(), answer.json["access_token"]).get("/me").status_code == 401
