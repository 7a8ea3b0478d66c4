"""The dashboard counts visits and price lines as they are, whatever is done in whatever order."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.domain.dashboard import counts, queries
from backend.domain.dashboard.counts import add_changes
from tests.conftest import empty_the_market
from tests.factories.price_lines import decide, lines
from tests.factories.requests import WHY, at
from tests.factories.users import User, Users
from tests.factories.visits import Visit

PRICE = Decimal(499)
# Counted from what actions write besides the request: its lines, and its history of this acceptance.
ADDED = text("SELECT count(*), coalesce(sum(amount), 0) FROM price_lines WHERE state = 'approved'")
STARTED = text("""
    SELECT e.actor_role FROM task_requests r JOIN request_events e ON e.request_id = r.id
     WHERE e.action = 'start' AND r.started_at IS NOT NULL ORDER BY e.id DESC LIMIT 1
""")
LATE = text("SELECT arrived_at > date_of_request + interval '15 minutes' FROM task_requests")
STATE = text("SELECT status FROM task_requests")
DUE = text(
    "UPDATE task_requests SET date_of_request = now() - make_interval(mins => :minutes) WHERE status = 'accepted'"
)
PROPOSED = st.tuples(st.just("propose"), st.sampled_from(["extra", "discount"]), st.decimals("0.01", "400", places=2))
DECIDED = st.tuples(st.sampled_from(["approve", "decline", "withdraw"]), st.integers(0, 3))
DATED = st.tuples(st.just("due"), st.sampled_from([0, 14, 16, 600]))
TAKEN = st.tuples(
    st.sampled_from(["on_the_way", "arrive", "start", "start", "confirm", "undo_step", "release", "move"]),
    st.just(None),
)
ENDED = st.lists(st.sampled_from(["complete", "close"]), min_size=1, max_size=2, unique=True)


def take(visit: Visit, kind: str, value: Any) -> None:
    """Do one thing; whether it is possible at this time does not matter."""
    if kind == "propose":
        raise AssertionError("has two values")
    if kind in ("approve", "decline", "withdraw"):
        items = lines(visit, visit.asha)["items"]
        if items:
            decide(visit, visit.ravi if kind == "withdraw" else visit.asha, items[value % len(items)], kind)
    elif kind == "due":
        with transaction():
            db.session.execute(DUE, {"minutes": value})
    elif kind == "move":
        visit.asha.patch(visit.path, {"date_of_request": at(days=3)})
        visit.ravi.post(f"{visit.path}/accept")
    elif kind == "release":
        visit.ravi.post(f"{visit.path}/release", WHY)
        visit.ravi.post(f"{visit.path}/accept")
    elif kind == "confirm":
        visit.call(visit.asha, "start")
    else:
        visit.call(visit.ravi, kind, {"code": visit.code} if kind == "start" and visit.code != "None" else None)


def propose(visit: Visit, kind: str, amount: Decimal) -> None:
    body = {"kind": kind, "title": "Part", "quantity": "1", "unit_amount": str(amount)}
    visit.ravi.post(f"{visit.path}/price_lines", body)


def counted(by_code: bool) -> dict[str, Any]:
    """Return what the dashboard should say of the only request."""
    state = db.session.execute(STATE).scalar_one()
    number, added = db.session.execute(ADDED).one()
    starter, late = db.session.execute(STARTED).scalar_one_or_none(), db.session.execute(LATE).scalar_one()
    is_visit, is_closed = state in ("completed", "closed"), state == "closed"
    by_professional = starter == "professional"
    return {
        "completed": int(is_visit),
        "started": [
            int(is_visit and by_professional and by_code),
            int(is_visit and starter == "customer"),
            int(is_visit and by_professional and not by_code),
            int(is_visit and starter is None),
        ],
        "arrived": [int(is_visit and late is True), int(is_visit and late is False), int(is_visit and late is None)],
        "value": PRICE + added if is_closed else Decimal(0),
        "lines": (int(is_closed and number > 0), added if is_closed else Decimal(0)),
    }


def shown() -> dict[str, Any]:
    found: dict[str, Any] = queries.statistics()
    visits, extra = found["visits"], found["extra_work"]
    starts = ("started_by_code", "started_by_customer", "started_without_code", "start_not_recorded")
    arrivals = ("arrived_late", "arrived_in_time", "arrival_not_recorded")
    return {
        "completed": visits["completed"],
        "started": [visits[name] for name in starts],
        "arrived": [visits[name] for name in arrivals],
        "value": found["closed_work"]["value"],
        "lines": (extra["requests"], extra["value"]),
    }


@pytest.fixture
def market(app: Flask) -> Iterator[Users]:
    yield Users(app)
    db.session.rollback()


@settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    policy=st.sampled_from(["off", "offered"]),
    steps=st.lists(st.one_of(PROPOSED, DECIDED, DECIDED, DATED, TAKEN, TAKEN), min_size=6, max_size=14),
    ends=ENDED,
)
def test_dashboard_follows_every_action_on_a_visit(
    market: Users, policy: str, steps: list[tuple[Any, ...]], ends: list[str]
) -> None:
    db.session.rollback()
    empty_the_market()
    visit = Visit(Users(market.app), {"start_code": policy})
    for step in steps:
        propose(visit, *step[1:]) if step[0] == "propose" else take(visit, *step)
    for line in lines(visit, visit.asha)["items"]:
        decide(visit, visit.asha, line, "approve")
    for end in ends:
        finish(visit.asha, visit, end)
        db.session.rollback()
        for _ in range(2):
            assert shown() == counted(policy == "offered")
            with transaction():
                add_changes(limit=1_000)
    with transaction():
        counts.rebuild()
    assert shown() == counted(policy == "offered")


def finish(who: User, visit: Visit, verb: str) -> None:
    visit.call(who, verb, {"remarks": "Thanks"} if verb == "close" else None)
