"""Slow document inspections: one per account at a time, without holding a database connection."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import MakeApp
from tests.factories.files import form, pdf, slow_pdf
from tests.factories.users import User, Users

SMALL_POOL = {"DB_POOL_SIZE": "2", "DB_POOL_TIMEOUT_SECONDS": "1", "WEB_THREADS": "16"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "") if answer.is_json else ""


def busy_while(running: set[Future[Any]], other: Callable[[], Any]) -> list[Any]:
    """Return the responses to another caller's repeated calls while the first calls run."""
    answers = [other()]
    while not all(one.done() for one in running):
        answers.append(other())
    return answers


def as_seen_by(app: Flask, user: User) -> User:
    """Return the same user with a separate client, on this application."""
    return User(user.id, user.username, user.role, app.test_client(), user.token)


def test_document_uploads_of_one_account_do_not_block_other_callers(users: Users, make: MakeApp) -> None:
    small = make(**SMALL_POOL)
    ravi, asha = users.professional(approved=False), as_seen_by(small, users.customer())
    slow = form(slow_pdf(), name="slow.pdf")

    def upload(_: int) -> Any:
        return as_seen_by(small, ravi).put("/me/document", **slow)

    with ThreadPoolExecutor(24) as pool:
        running = {pool.submit(upload, number) for number in range(24)}
        others = busy_while(running, lambda: asha.patch("/me", {"lastname": "Iyer"}))
        uploads = Counter(code(one.result()) for one in running)
    assert Counter(map(code, others)) == {(200, ""): len(others)}
    assert uploads[422, "document_refused"] >= 1
    assert uploads[429, "inspection_running"] >= 20
    assert set(uploads) == {(422, "document_refused"), (429, "inspection_running")}


def test_document_upload_during_another_returns_429_with_retry_after(users: Users, make: MakeApp) -> None:
    small = make(**SMALL_POOL)
    ravi = users.professional(approved=False)
    with small.app_context(), small.extensions["document_capacity"].upload_of(ravi.id):
        second = as_seen_by(small, ravi).put("/me/document", **form(pdf(), name="proof.pdf"))
    assert code(second) == (429, "inspection_running")
    assert int(second.headers["Retry-After"]) > 0
    assert as_seen_by(small, ravi).put("/me/document", **form(pdf(), name="proof.pdf")).status_code == 200


def test_document_upload_during_one_in_other_web_process_returns_429(users: Users, make: MakeApp) -> None:
    one, other = make(**SMALL_POOL), make(**SMALL_POOL)
    ravi = users.professional(approved=False)
    with one.app_context(), one.extensions["document_capacity"].upload_of(ravi.id):
        answer = as_seen_by(other, ravi).put("/me/document", **form(pdf(), name="proof.pdf"))
        assert code(answer) == (429, "inspection_running")
    assert as_seen_by(other, ravi).put("/me/document", **form(pdf(), name="proof.pdf")).status_code == 200


def test_document_uploads_over_queue_capacity_return_503_without_blocking_others(users: Users, make: MakeApp) -> None:
    small = make(**SMALL_POOL)
    asha = as_seen_by(small, users.customer())
    several = [users.professional(approved=False) for _ in range(12)]
    slow = form(slow_pdf(3_000), name="slow.pdf")
    with ThreadPoolExecutor(len(several)) as pool:
        running = {pool.submit(as_seen_by(small, one).put, "/me/document", **slow) for one in several}
        others = busy_while(running, lambda: asha.patch("/me", {"lastname": "Iyer"}))
        uploads = Counter(code(one.result()) for one in running)
    assert Counter(map(code, others)) == {(200, ""): len(others)}
    assert uploads[422, "document_refused"] >= 2
    assert set(uploads) <= {(422, "document_refused"), (503, "unavailable")}


def test_document_pages_rendered_concurrently_hold_no_database_connection(users: Users, make: MakeApp) -> None:
    small = make(**SMALL_POOL)
    ravi, asha = users.professional(approved=False), as_seen_by(small, users.customer())
    ravi.put("/me/document", **form(pdf(pages=16), name="proof.pdf"))
    with ThreadPoolExecutor(16) as pool:
        running = {pool.submit(as_seen_by(small, ravi).get, f"/me/document?page={page}") for page in range(1, 17)}
        others = busy_while(running, lambda: asha.patch("/me", {"lastname": "Iyer"}))
        drawn = Counter(code(one.result()) for one in running)
    assert Counter(map(code, others)) == {(200, ""): len(others)}
    assert drawn[200, ""] >= 3
    assert set(drawn) <= {(200, ""), (429, "inspection_running")}


@pytest.mark.parametrize("allowed", [3])
def test_document_uploads_over_hourly_limit_of_account_return_429(users: Users, make: MakeApp, allowed: int) -> None:
    limited = make(DOCUMENT_RATE_LIMIT=f"{allowed} per hour")
    ravi = as_seen_by(limited, users.professional(approved=False))
    answers = [ravi.put("/me/document", **form(b"no document at all")) for _ in range(allowed + 1)]
    assert [one.status_code for one in answers] == [415] * allowed + [429]
    assert answers[-1].json["code"] == "too_many_requests"
    assert answers[0].headers["RateLimit-Policy"] == f'"document";q={allowed};w=3600'
