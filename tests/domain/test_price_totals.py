"""The total of a request is its agreed price and the approved lines, whatever is done in whatever order."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.price_lines.amounts import Kind, amount_of, is_above_cap
from tests.conftest import empty_the_market
from tests.factories.price_lines import code_of, decide, lines
from tests.factories.requests import WHY, at
from tests.factories.users import Users
from tests.factories.visits import Visit

QUANTITIES = st.decimals("0.001", "10000", places=3)
AMOUNTS = st.decimals("0.01", "10000000", places=2)
SMALL = st.decimals("0.01", "400", places=2)
PROPOSAL = st.tuples(st.just("propose"), st.sampled_from(sorted(Kind)), st.decimals("0.001", "3", places=3), SMALL)
DECISION = st.tuples(st.sampled_from(["approve", "code", "decline", "withdraw"]), st.integers(0, 5))
END = st.tuples(st.sampled_from(["release", "move"]))
COUNTED = text("""
    SELECT r.price + coalesce((SELECT sum(amount) FROM price_lines l
                                WHERE l.request_id = r.id AND l.state = 'approved'), 0),
           r.undecided_lines = (SELECT count(*) FROM price_lines l WHERE l.request_id = r.id AND l.state = 'proposed')
      FROM task_requests r
""")


@given(kind=st.sampled_from(sorted(Kind)), quantity=QUANTITIES, unit_amount=AMOUNTS)
def test_amount_is_the_product_rounded_half_up(kind: Kind, quantity: Decimal, unit_amount: Decimal) -> None:
    amount = amount_of(kind, quantity=quantity, unit_amount=unit_amount)
    exact = quantity * unit_amount
    assert abs(amount) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert (amount <= 0) == (kind is Kind.DISCOUNT) or amount == 0


@given(price=AMOUNTS, lines=st.decimals("-1000", "1000000", places=2), percent=st.integers(1, 1000))
def test_cap_is_exact_and_zero_is_none(price: Decimal, lines: Decimal, percent: int) -> None:
    assert is_above_cap(price, lines, cap_percent=percent) == (lines > price * percent / 100)
    assert not is_above_cap(price, lines, cap_percent=0)


class Model:
    """The lines of a request as they should be: id, amount and state."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def sum_of(self, *states: str) -> Decimal:
        return sum((Decimal(line["amount"]) for line in self.lines if line["state"] in states), Decimal(0))


def take(visit: Visit, model: Model, step: tuple[Any, ...]) -> None:
    """Take one step over HTTP, and the same in the model, if the call succeeds as it should."""
    if step[0] == "propose":
        body = {"kind": step[1], "title": "Part", "quantity": str(step[2]), "unit_amount": str(step[3])}
        answer = visit.ravi.post(f"{visit.path}/price_lines", body)
        amount = amount_of(Kind(step[1]), quantity=step[2], unit_amount=step[3])
        if amount == 0:
            assert answer.status_code == 422
        elif Decimal(499) + model.sum_of("approved") + amount < 0:
            assert answer.json["code"] == "discount_too_large"
        else:
            assert (answer.status_code, answer.json["amount"]) == (201, f"{amount:.2f}")
            model.lines.append(answer.json)
    elif len(step) == 1:
        if step[0] == "release":
            visit.ravi.post(f"{visit.path}/release", WHY)
        else:
            visit.asha.patch(visit.path, {"date_of_request": at(days=3, hours=len(model.lines))})
        visit.ravi.post(f"{visit.path}/accept")
        for line in model.lines:
            line["state"] = "withdrawn" if line["state"] in ("proposed", "approved") else line["state"]
    elif model.lines:
        decide_one(visit, model, step[0], model.lines[step[1] % len(model.lines)])


def decide_one(visit: Visit, model: Model, verb: str, line: dict[str, Any]) -> None:
    who = visit.asha if verb in ("approve", "decline") else visit.ravi
    body = {"code": code_of(visit, line)} if verb == "code" and line["state"] == "proposed" else None
    answer = decide(visit, who, line, "approve" if verb == "code" else verb, body)
    if line["state"] != "proposed":
        assert (answer.status_code, answer.json["code"]) == (409, "line_decided")
    elif verb in ("approve", "code") and Decimal(499) + model.sum_of("approved") + Decimal(line["amount"]) < 0:
        assert answer.json["code"] == "discount_too_large"
    else:
        assert answer.status_code == 200
        line["state"] = {"decline": "declined", "withdraw": "withdrawn"}.get(verb, "approved")


@pytest.fixture
def market(app: Flask) -> Iterator[Users]:
    yield Users(app)
    db.session.rollback()


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.one_of(PROPOSAL, PROPOSAL, DECISION, DECISION, END), min_size=4, max_size=14))
def test_total_counts_approved_lines_only(market: Users, steps: list[tuple[Any, ...]]) -> None:
    db.session.rollback()
    empty_the_market()
    visit, model = Visit(Users(market.app)), Model()
    for step in steps:
        take(visit, model, step)
        db.session.rollback()
        counted, agrees = db.session.execute(COUNTED).one()
        seen = lines(visit, visit.asha)
        assert agrees
        assert Decimal(seen["total"]) == counted == Decimal(499) + model.sum_of("approved") >= 0
        assert [item["state"] for item in seen["items"]] == [line["state"] for line in model.lines]
        db.session.rollback()
