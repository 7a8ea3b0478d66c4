"""The running application against its own contract: whatever is sent, the answer is one that openapi.json declares."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.cli.openapi import COMMITTED
from backend.core.db.session import db
from tests.conftest import empty_the_market
from tests.factories.people import Caller, People
from tests.factories.requests import RequestMarket

HELD = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Market:
    """The application as WSGI, made when it is first called: operations are read off the contract before it exists."""

    app: Flask

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.app(environ, start_response)


MARKET = Market()
schema = schemathesis.openapi.from_dict(json.loads(COMMITTED.read_text()))
schema.app = MARKET


@pytest.fixture(scope="module")
def callers(shared_app: Flask) -> list[Caller]:
    """Someone of each kind, on a market with something in it."""
    MARKET.app = shared_app
    with shared_app.app_context():
        empty_the_market()
        people = People(shared_app)
        market = RequestMarket(people)
        customer, professional = people.customer(), market.professional()
        for status in ("requested", "accepted", "closed"):
            market.bring_to(status, customer, professional if status == "accepted" else market.professional())
        db.session.remove()
        return [people.visitor(), people.admin(), customer, professional]


@schema.exclude(operation_id=["logout", "logoutEverywhere"]).parametrize()
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_declared(case: "schemathesis.Case[Any]", callers: list[Caller]) -> None:
    for caller in callers:
        answer = case.call_and_validate(headers=caller.headers, checks=HELD)
        if answer.status_code not in (401, 403):
            return
