"""Idempotency-Key: a repeated call has its effect once and gets the first response."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from backend.core import idempotency
from backend.core.db.session import db, transaction
from backend.domain.task_requests.models import TaskRequest
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

KEY = {"Idempotency-Key": "one-order"}


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def made() -> int:
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(TaskRequest)).scalar_one()


def test_idempotency_key_repeated_with_same_body_replays_response(market: RequestMarket, users: Users) -> None:
    asha, body = users.customer(), market.body()
    first = asha.post("/requests", body, headers=KEY)
    again = asha.post("/requests", body, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert made() == 1


def test_idempotency_key_repeated_with_other_body_is_rejected(market: RequestMarket, users: Users) -> None:
    asha = users.customer()
    assert asha.post("/requests", market.body(), headers=KEY).status_code == 201
    other = asha.post("/requests", market.body(remarks="Something else"), headers=KEY)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert made() == 1


def test_idempotency_key_is_scoped_to_account(market: RequestMarket, users: Users) -> None:
    body = market.body()
    for user in (users.customer(), users.customer()):
        assert user.post("/requests", body, headers=KEY).status_code == 201
    assert made() == 2


def test_idempotency_key_of_rejected_call_can_be_used_again(market: RequestMarket, users: Users) -> None:
    asha = users.customer()
    assert asha.post("/requests", market.body(task_id=99999), headers=KEY).status_code == 422
    assert asha.post("/requests", market.body(), headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed"])
def test_idempotency_key_of_invalid_format_names_the_header(market: RequestMarket, users: Users, key: str) -> None:
    answer = users.customer().post("/requests", market.body(), headers={"Idempotency-Key": key})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["Idempotency-Key"])


def test_idempotency_key_of_running_call_returns_409_with_retry_after(
    app: Flask, market: RequestMarket, users: Users
) -> None:
    asha = users.customer()
    name = f"idempotency:{asha.id}:{KEY['Idempotency-Key']}"
    with db.engine.connect() as other, other.begin():
        other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        answer = asha.post("/requests", market.body(), headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (409, "still_running")
    assert answer.headers["Retry-After"] == "1"
    assert asha.post("/requests", market.body(), headers=KEY).status_code == 201


def test_idempotency_key_sent_concurrently_creates_one_request(app: Flask, market: RequestMarket, users: Users) -> None:
    asha, body = users.customer(), market.body()
    answers: list[Any] = []

    def ask() -> None:
        answers.append(app.test_client().post("/requests", json=body, headers={**asha.headers, **KEY}))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    ids = {answer.json["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert made() == 1


def test_idempotency_key_after_a_day_can_be_used_again(market: RequestMarket, users: Users) -> None:
    asha = users.customer()
    asha.post("/requests", market.body(), headers=KEY)
    with transaction():
        db.session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    assert asha.post("/requests", market.body(remarks="Once more"), headers=KEY).status_code == 201
    with transaction():
        db.session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
        assert idempotency.drop_expired() == 1


def test_idempotency_key_is_kept_for_configured_hours(
    app: Flask, market: RequestMarket, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, body = users.customer(), market.body()
    asha.post("/requests", body, headers=KEY)
    with transaction():
        db.session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], idempotency_keep_hours=26))
    assert asha.post("/requests", body, headers=KEY).headers["Idempotent-Replayed"] == "true"
    assert made() == 1
