"""Every route with every kind of caller; a route that the table does not know fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import update

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.domain.accounts.models import Account
from tests.api.route_table import CALLERS, TABLE, Row
from tests.conftest import empty_the_market
from tests.factories.people import Caller, People
from tests.factories.requests import RequestMarket

MISSING_ID: Final = "99999"
CODES: Final = {
    "T": (401, None),
    "B": (403, "account_blocked"),
    "P": (403, "not_active"),
    "R": (403, "role_not_allowed"),
    "N": (404, "not_found"),
}
METHODS: Final = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass
class World:
    """One of each kind of caller, and an accepted request that concerns two of them."""

    callers: dict[str, Caller]
    ids: dict[str, str]


def build(app: Flask) -> World:
    people = People(app)
    market = RequestMarket(people)
    customer, professional, admin = people.customer(), market.professional(), people.admin()
    request = market.bring_to("accepted", customer, professional)
    blocked = people.customer()
    with transaction():
        block = update(Account).where(Account.id == blocked.id)
        db.session.execute(block.values(blocked_at=now(), blocked_reason="other"))
    callers: list[Caller] = [
        people.visitor(), people.professional(approved=False), market.professional(), people.customer(),
        customer, professional, blocked, admin,
    ]  # fmt: skip
    ids = {
        "request_id": str(request["id"]),
        "task_id": str(market.task_id),
        "professional_id": str(professional.id),
        "customer_id": str(customer.id),
        "account_id": str(customer.id),
    }
    return World(dict(zip(CALLERS, callers, strict=True)), ids)


@pytest.fixture(scope="module")
def reading(shared_app: Flask) -> Iterator[World]:
    """A world for calls that change nothing."""
    with shared_app.app_context():
        empty_the_market()
        yield build(shared_app)
        db.session.remove()


@pytest.fixture
def writing(app: Flask) -> World:
    """A world of its own for a call that may change it."""
    return build(app)


def test_every_route_is_in_the_table(shared_app: Flask) -> None:
    there = {
        f"{method} {rule.rule}"
        for rule in shared_app.url_map.iter_rules()
        for method in (rule.methods or ())
        if method in METHODS
    }
    assert there - set(TABLE) == set(), "say in tests/api/route_table.py who may make these calls"
    assert set(TABLE) - there == set(), "these calls are gone: remove them from tests/api/route_table.py"


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("GET ")])
def test_reads(name: str, reading: World) -> None:
    check(name, TABLE[name], reading)


@pytest.mark.parametrize("name", [name for name in TABLE if not name.startswith("GET ")])
def test_writes(name: str, writing: World) -> None:
    check(name, TABLE[name], writing)


def check(name: str, row: Row, world: World) -> None:
    """Refusals first: those who may could change what the others see."""
    letters = dict(zip(CALLERS, row.gets, strict=True))
    wrong = []
    for caller in sorted(CALLERS, key=lambda caller: letters[caller] == "+"):
        answer = call(name, row, world, world.callers[caller])
        if not fits(letters[caller], answer):
            code = (answer.get_json(silent=True) or {}).get("code")
            wrong.append(f"{caller}: {letters[caller]} expected, got {answer.status_code} {code}")
    assert not wrong, "\n".join([name, *wrong])


def call(name: str, row: Row, world: World, caller: Caller) -> Any:
    method, rule = name.split(" ", 1)
    values = {**world.ids, **row.path}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], MISSING_ID), rule)
    options = {"json": row.json} if row.json is not None else {}
    return caller.client.open(
        path + (f"?{row.query}" if row.query else ""), method=method, headers=caller.headers, **options
    )


def fits(letter: str, answer: Any) -> bool:
    if letter == "+":
        return answer.status_code < 400 or answer.status_code in (409, 410, 412, 415, 422, 503)
    status, code = CODES[letter]
    return bool(answer.status_code == status and code in (None, answer.json["code"]))
