"""Concurrent actions on requests with threads on a real database: one wins, and nothing is duplicated."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.db.session import db, transaction
from backend.core.errors import DomainError
from backend.core.security.authz import Actor, Role
from backend.domain.notifications.models import Notification
from backend.domain.professionals.models import Professional
from backend.domain.reviews import actions as reviews
from backend.domain.task_requests import actions, bulk
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import RequestEvent, TaskRequest
from tests.factories.crowd import Crowd, at_once, gather
from tests.factories.requests import RequestMarket, at
from tests.factories.users import Users
from tests.faults.conftest import CALLERS

pytestmark = pytest.mark.faults
BLOCK = text("UPDATE accounts SET blocked_at = now(), blocked_reason = 'fraud' WHERE id = :id")


def outcome(work: Callable[[], Any]) -> str:
    """Run an action in its own transaction; return "done" or the error code."""
    try:
        with transaction():
            work()
    except DomainError as error:
        return error.code
    return "done"


def accept_all(actor: Actor, request_ids: Sequence[int]) -> Callable[[], list[str]]:
    return lambda: [outcome(partial(actions.accept, actor, request_id=key)) for key in request_ids]


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def crowd(market: RequestMarket, **changes: Any) -> Crowd:
    return gather(**{"task_id": market.task_id, "professionals": CALLERS, "requests": 200, **changes})


def test_accept_by_many_professionals_concurrently_succeeds_once_per_request(
    wide_app: Flask, market: RequestMarket
) -> None:
    everyone = crowd(market)
    results = at_once(wide_app, [accept_all(actor, everyone.request_ids) for actor in everyone.professionals])
    outcomes = Counter(code for codes in results for code in codes)
    assert outcomes == {"done": 200, "already_taken": 200 * (CALLERS - 1)}
    rows = db.session.execute(select(TaskRequest.status, TaskRequest.professional_id)).all()
    assert {row.status for row in rows} == {"accepted"}
    winners = Counter(row.professional_id for row in rows)
    mine = {actor.id: codes.count("done") for actor, codes in zip(everyone.professionals, results, strict=True)}
    assert winners == Counter({key: won for key, won in mine.items() if won})
    accepted = select(RequestEvent.request_id).where(RequestEvent.action == "accept")
    assert sorted(db.session.execute(accepted).scalars()) == everyone.request_ids
    notified = select(Notification.request_id).where(Notification.kind == "request_accepted")
    assert sorted(key for key in db.session.execute(notified).scalars() if key) == everyone.request_ids


def test_accept_of_overlapping_requests_concurrently_never_overlaps(wide_app: Flask, market: RequestMarket) -> None:
    everyone = crowd(market, professionals=1, requests=24, apart_minutes=30)
    one, ids = everyone.professionals[0], everyone.request_ids
    results = at_once(wide_app, [accept_all(one, [key]) for key in ids])
    codes = Counter(code for found in results for code in found)
    assert set(codes) == {"done", "overlapping_request"}
    assert 8 <= codes["done"] <= 12
    held = select(TaskRequest.date_of_request).where(TaskRequest.status == "accepted").order_by("date_of_request")
    starts = list(db.session.execute(held).scalars())
    assert all((after - before).total_seconds() >= 3600 for before, after in pairwise(starts))


def test_create_request_concurrently_with_same_key_creates_one(wide_app: Flask, users: Users) -> None:
    market, asha = RequestMarket(users), users.customer()
    body, headers = market.body(), {**asha.headers, "Idempotency-Key": "the-same"}

    def create() -> list[tuple[int, Any]]:
        answer = wide_app.test_client().post("/requests", json=body, headers=headers)
        return [(answer.status_code, (answer.json or {}).get("id"))]

    answers = [result[0] for result in at_once(wide_app, [create] * 10)]
    ids = {request_id for status, request_id in answers if status == 201}
    assert {status for status, _ in answers} <= {201, 409}
    assert len(ids) == 1
    assert len(asha.get("/requests").json["items"]) == 1


@pytest.mark.parametrize("turn", range(8))
def test_close_concurrent_with_cancel_ends_in_one_of_both(
    wide_app: Flask, market: RequestMarket, users: Users, turn: int
) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    customer = Actor(id=asha.id, role=Role.CUSTOMER)
    works = [
        lambda: [outcome(lambda: actions.close(customer, request_id=request_id))],
        lambda: [outcome(lambda: actions.cancel(customer, request_id=request_id, reason="Not needed"))],
    ]
    results = [result[0] for result in at_once(wide_app, works if turn % 2 else works[::-1])]
    assert sorted(results) == ["done", "invalid_transition"]
    history = asha.get(f"/requests/{request_id}").json["history"]
    assert len(history) == 3
    assert history[-1]["to"] in (Status.CLOSED, Status.CANCELLED)


def test_block_concurrent_with_accept_leaves_nothing_accepted(wide_app: Flask, market: RequestMarket) -> None:
    everyone = crowd(market, professionals=1, requests=40)
    one = everyone.professionals[0]

    def block() -> list[str]:
        with transaction():
            db.session.execute(BLOCK, {"id": one.id})
            bulk.release_all(one, professional_id=one.account_id, reason="fraud")
        return ["blocked"]

    results = at_once(wide_app, [*(accept_all(one, [key]) for key in everyone.request_ids), block])
    assert set(Counter(code for codes in results for code in codes)) <= {"done", "account_blocked", "blocked"}
    assert db.session.execute(select(TaskRequest.id).where(TaskRequest.status == "accepted")).all() == []


def test_reviews_given_concurrently_keep_ratings_correct(wide_app: Flask, market: RequestMarket) -> None:
    everyone = crowd(market, professionals=1, requests=30)
    one, customer = everyone.professionals[0], everyone.customer
    for key in everyone.request_ids:
        with transaction():
            actions.accept(one, request_id=key)
            actions.close(customer, request_id=key)

    def review(request_id: int, stars: int) -> list[str]:
        return [outcome(partial(reviews.give, customer, request_id=request_id, rating=stars, comment=None))]

    twice = [(key, 1 + place % 5) for place, key in enumerate(everyone.request_ids)] * 2
    works = [partial(review, key, stars) for key, stars in twice]
    codes = Counter(code for codes in at_once(wide_app, works) for code in codes)
    assert codes == {"done": 30, "already_reviewed": 30}
    kept = select(Professional.rating_count, Professional.rating_sum).where(Professional.account_id == one.id)
    assert tuple(db.session.execute(kept).one()) == (30, 6 * (1 + 2 + 3 + 4 + 5))


def test_request_edit_concurrent_with_accept_is_not_lost(wide_app: Flask, users: Users) -> None:
    market, asha = RequestMarket(users), users.customer()
    ravi = market.professional()
    for turn in range(6):
        request_id = market.ask(asha, date_of_request=at(days=9 + turn))["id"]
        path = f"/requests/{request_id}"
        works = [
            partial(lambda path: [ravi.post(f"{path}/accept").status_code], path),
            partial(lambda path: [asha.patch(path, {"remarks": "Ring twice"}).status_code], path),
        ]
        assert at_once(wide_app, works) == [[200], [200]]
        seen = asha.get(path).json
        assert (seen["status"], seen["remarks"], len(seen["history"])) == ("accepted", "Ring twice", 3)
