"""Two calls about one person at once: both are answered, and neither undoes what the other promised."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.factories.crowd import at_once
from tests.factories.files import form, picture
from tests.factories.people import PASSWORD, People, Person, Visitor
from tests.factories.requests import RequestMarket

pytestmark = pytest.mark.faults


def status(work: Callable[[], Any]) -> list[int]:
    return [work().status_code]


def anew(app: Flask, who: Person) -> Visitor:
    """The same person by a client of their own: a client is not made for several threads."""
    return Visitor(app.test_client(), who.token)


@pytest.mark.parametrize("turn", range(6))
def test_nobody_waits_for_someone_who_was_blocked_at_that_moment(wide_app: Flask, people: People, turn: int) -> None:
    market, asha, admin = RequestMarket(people), people.customer(), people.admin()
    ravi = market.professional()
    ask = partial(anew(wide_app, asha).post, "/requests", market.body(professional_id=ravi.id))
    block = partial(anew(wide_app, admin).post, f"/users/{ravi.id}/block", {"reason": "fraud"})
    works = [partial(status, ask), partial(status, block)]
    codes = [code for result in at_once(wide_app, works[:: 1 if turn % 2 else -1]) for code in result]
    assert sorted(codes) in ([200, 201], [200, 422])
    assert [one["asked_professional_id"] for one in asha.get("/requests").json["items"]] in ([], [None])


@pytest.mark.parametrize("turn", range(6))
def test_documents_decisions_and_edits_at_once_never_lock_each_other_out(
    wide_app: Flask, people: People, turn: int
) -> None:
    ravi, admin = people.professional(approved=False), people.admin()
    assert ravi.put("/me/document", **form(picture())).status_code == 200
    one, two, three = (anew(wide_app, ravi) for _ in range(3))
    works = [
        partial(status, lambda: one.put("/me/document", **form(picture()))),
        partial(status, lambda: two.put("/me/document", **form(picture("JPEG")))),
        partial(status, lambda: three.patch("/me", {"exp": 9, "firstname": "Ravi"})),
        partial(status, partial(anew(wide_app, admin).post, f"/professionals/{ravi.id}/approve")),
    ]
    codes = [code for result in at_once(wide_app, works) for code in result]
    assert sorted(codes[:2]) in ([200, 200], [200, 429]), "one upload of an account is processed at a time"
    assert codes[2:] == [200, 200]
    assert ravi.get("/me/document").status_code == 200


def test_of_two_changes_of_one_password_one_is_made(wide_app: Flask, people: People) -> None:
    asha = people.customer()
    bodies = [{"current_password": PASSWORD, "password": f"a new one of many {number}"} for number in range(3)]
    works = [partial(status, partial(anew(wide_app, asha).post, "/me/password", body)) for body in bodies]
    codes = [code for result in at_once(wide_app, works) for code in result]
    assert sorted(codes) == [204, 422, 422]


@pytest.mark.parametrize("turn", range(4))
def test_an_old_password_leaves_no_session_behind(wide_app: Flask, people: People, turn: int) -> None:
    asha = people.customer()
    body = {"username": asha.username, "password": PASSWORD, "client": "api"}
    new = {"current_password": PASSWORD, "password": "quite another one 1"}
    works: list[Callable[[], list[Any]]] = [
        lambda: [Visitor(wide_app.test_client()).post("/check", body)],
        partial(status, partial(anew(wide_app, asha).post, "/me/password", new)),
    ]
    results = at_once(wide_app, works if turn % 2 else works[::-1])
    answer = results[0 if turn % 2 else 1][0]
    assert answer.status_code in (200, 401)
    if answer.status_code == 200:
        assert Visitor(wide_app.test_client(), answer.json["access_token"]).get("/me").status_code == 401
