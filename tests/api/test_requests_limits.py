"""Limits on a customer's open requests and on requests of new accounts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

Market = Callable[..., RequestMarket]


@pytest.fixture
def market(app: Flask, settings: Settings) -> Iterator[Market]:
    """Return a factory of marketplaces with their own limits."""
    with ExitStack() as stack:

        def make(**limits: Any) -> RequestMarket:
            made = create_app(replace(settings, **limits))
            stack.enter_context(made.app_context())
            stack.callback(db.engine.dispose)
            stack.callback(db.session.remove)
            return RequestMarket(Users(made))

        yield make


def test_open_requests_over_limit_are_rejected_until_one_ends(market: Market) -> None:
    here = market(open_requests_per_customer=2)
    asha = here.users.customer()
    first = here.ask(asha)
    here.ask(asha)
    refused = asha.post("/requests", here.body())
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_open_requests")
    assert asha.post(f"/requests/{first['id']}/cancel", {"reason": "Not needed"}).status_code == 200
    assert asha.post("/requests", here.body()).status_code == 201
    assert here.users.customer().post("/requests", here.body()).status_code == 201


def test_open_requests_created_concurrently_do_not_exceed_limit(market: Market) -> None:
    here = market(open_requests_per_customer=3)
    asha = here.users.customer()

    def ask(_: int) -> int:
        headers = {"Authorization": f"Bearer {asha.token}"}
        client = here.users.app.test_client()
        return client.post("/requests", json=here.body(), headers=headers).status_code

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(ask, range(8))) == [201] * 3 + [409] * 5


def test_new_account_requests_over_configured_hourly_limit_return_429(market: Market) -> None:
    here = market(new_account_requests_an_hour=2)
    asha = here.users.customer()
    for _ in range(2):
        here.ask(asha)
    refused = asha.post("/requests", here.body())
    assert (refused.status_code, 3000 < int(refused.headers["Retry-After"]) <= 3600) == (429, True)
    with transaction():
        db.session.execute(text("UPDATE accounts SET created_at = now() - interval '25 hours'"))
    assert asha.post("/requests", here.body()).status_code == 201


def test_request_limits_by_default_are_off_for_new_accounts(settings: Settings) -> None:
    assert (settings.new_account_requests_an_hour, settings.open_requests_per_customer) == (0, 500)
