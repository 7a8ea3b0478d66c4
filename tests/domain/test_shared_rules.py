"""Rules that exist in Python and in SQL, or in several SQL forms, agree on random data."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.pagination import Window
from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.domain.favourites.models import Exclusion
from backend.domain.places.distance import is_within, metres, origin
from backend.domain.places.models import Place
from backend.domain.professionals import availability, offering
from backend.domain.professionals.models import ProfessionalPincode, ProfessionalTask
from backend.domain.task_requests import inbox, matching, reminders
from backend.domain.task_requests.access import relation, sees_waiting
from backend.domain.task_requests.inbox import InboxFilters
from backend.domain.task_requests.lifecycle import Relation, Status
from backend.domain.task_requests.models import RequestRejection, TaskRequest
from backend.domain.task_requests.queries import RequestFilters
from backend.domain.task_requests.rows import COLUMNS, Request
from backend.domain.task_requests.transitions import _select_request
from tests.factories import places
from tests.factories.requests import RequestMarket
from tests.factories.scatter import pincodes_nearby, scatter
from tests.factories.users import Users

FEW: Final = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ME: Final = 7
SEES: Final = (Relation.CANDIDATE, Relation.VIEWER)
DISTANCES: Final = text(f"""
    SELECT metres_from(ll_to_earth(a.latitude, a.longitude), there.latitude, there.longitude) AS defined,
           {metres("point", "there")} AS formula,
           {is_within("point", "there", "radius")} AS is_within, radius
      FROM jsonb_to_recordset(:pairs) AS pair(a jsonb, b jsonb, radius integer)
      CROSS JOIN LATERAL jsonb_to_record(a) AS a(latitude float, longitude float)
      CROSS JOIN LATERAL jsonb_to_record(b) AS there(latitude float, longitude float)
      CROSS JOIN LATERAL (SELECT {origin("a")}) AS point
""").bindparams(bindparam("pairs", type_=JSONB))  # noqa: S608  # all parts are constants
# The tables are shadowed by relations of the same names.
SIGHT: Final = text(f"""
    WITH request_rejections AS (
        SELECT CAST(:me AS bigint) AS professional_id, id AS request_id
          FROM jsonb_to_recordset(:requests) AS given(id bigint, rejected boolean) WHERE rejected
    ), exclusions AS (
        SELECT CAST(:me AS bigint) AS professional_id, customer_id
          FROM jsonb_to_recordset(:requests) AS given(customer_id bigint, excluded boolean) WHERE excluded
    )
    SELECT r.id, coalesce({sees_waiting("CAST(:me AS bigint)")}, false) AS sees
      FROM jsonb_to_recordset(:requests) AS r(id bigint, customer_id bigint, status text,
                                              date_of_request timestamptz, asked_professional_id bigint,
                                              asked_until timestamptz)
     ORDER BY r.id
""").bindparams(bindparam("requests", type_=JSONB))  # noqa: S608  # all parts are constants


def degrees(least: float, most: float) -> st.SearchStrategy[float]:
    """Degrees to five decimals, which is about a metre."""
    return st.integers(round(least * 1e5), round(most * 1e5)).map(lambda value: value / 1e5)


point = st.fixed_dictionaries({"latitude": degrees(-80, 80), "longitude": degrees(-179, 179)})
nearby = st.fixed_dictionaries({"latitude": degrees(12.8, 13.1), "longitude": degrees(77.4, 77.8)})
pair = st.one_of(
    st.fixed_dictionaries({"a": point, "b": point, "radius": st.integers(1, 20_000_000)}),
    st.fixed_dictionaries({"a": nearby, "b": nearby, "radius": st.integers(1, 60_000)}),
)


@FEW
@given(pairs=st.lists(pair, min_size=1, max_size=40))
def test_distance_formula_matches_database_function(app: Flask, pairs: list[dict[str, Any]]) -> None:
    rows = db.session.execute(DISTANCES, {"pairs": pairs}).all()
    assert len(rows) == len(pairs)
    for row in rows:
        assert row.formula == pytest.approx(row.defined, abs=1)
        assert row.is_within == (row.formula <= row.radius)
    edges = [one | {"radius": int(row.formula)} for one, row in zip(pairs, rows, strict=True)]
    assert all(row.is_within for row in db.session.execute(DISTANCES, {"pairs": edges}))


moments = st.integers(-3, 3).map(lambda hours: hours * 3600)
sight = st.fixed_dictionaries(
    {
        "status": st.sampled_from(list(Status)),
        "date": moments,
        "asked": st.sampled_from([None, ME, ME + 1]),
        "until": st.one_of(st.none(), moments),
        "rejected": st.booleans(),
        "excluded": st.booleans(),
        "does_task": st.booleans(),
    }
)


@FEW
@given(cases=st.lists(sight, min_size=1, max_size=60))
def test_request_visibility_in_sql_matches_relation(app: Flask, users: Users, cases: list[dict[str, Any]]) -> None:
    at = now()
    blank = Request._make([None] * len(Request._fields))
    requests = [
        blank._replace(
            id=number,
            customer_id=number,  # of its own, so that each case has an exclusion of its own
            status=case["status"],
            date_of_request=at + timedelta(seconds=case["date"]),
            asked_professional_id=case["asked"],
            asked_until=None if case["until"] is None else at + timedelta(seconds=case["until"]),
            rejected=case["rejected"],
            excluded=case["excluded"] and case["asked"] != ME,
            does_task=case["does_task"],
        )
        for number, case in enumerate(cases)
    ]
    sent = [
        {name: _plain(value) for name, value in request._asdict().items() if value is not None}
        | {"excluded": case["excluded"]}
        for request, case in zip(requests, cases, strict=True)
    ]
    rows = db.session.execute(SIGHT, {"me": ME, "now": at, "requests": sent}).all()
    actor = Actor(ME, Role.PROFESSIONAL)
    assert [row.sees for row in rows] == [relation(actor, request, at=at) in SEES for request in requests]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.fixture
def unlocated(app: Flask) -> Iterator[str]:
    """Return a pincode that has no coordinates during the test."""
    pincode = "560002"
    place = db.session.get_one(Place, pincode)
    point = {"latitude": place.latitude, "longitude": place.longitude}
    with transaction():
        db.session.execute(update(Place).values(latitude=None, longitude=None).where(Place.pincode == pincode))
    yield pincode
    with transaction():
        db.session.execute(update(Place).values(point).where(Place.pincode == pincode))


class Worker(NamedTuple):
    """A professional of the random marketplace."""

    id: int
    home: str
    radius_km: int
    is_active: bool
    listed: frozenset[str]
    task_ids: frozenset[int]


class Market:
    """Random professionals and requests, and in Python who sees and serves what."""

    def __init__(self, users: Users, dice: random.Random) -> None:
        base, self.customers = RequestMarket(users), [users.customer().id, users.customer().id]
        self.dice, self.tasks = dice, [base.task_id, base.task("Wiring")]
        self.pincodes = pincodes_nearby()
        with transaction():
            scatter(self.tasks[0], self.pincodes, seed=dice.random())
            availability.rebuild()
        self.places = {place.pincode: place for place in db.session.execute(select(Place)).scalars()}
        self.workers = self._workers()
        with transaction():
            values = [self._request(dice.choice(self.customers)) for _ in range(120)]
            ids = db.session.execute(insert(TaskRequest).returning(TaskRequest.id), values).scalars().all()
            pairs = {(dice.choice(self.workers).id, dice.choice(ids)) for _ in range(300)}
            rejections = [{"professional_id": who, "request_id": which, "reason": "x"} for who, which in pairs]
            db.session.execute(insert(RequestRejection), rejections)
            self.exclusions = {(dice.choice(self.workers).id, dice.choice(self.customers)) for _ in range(60)}
            db.session.execute(
                insert(Exclusion), [self._exclusion(*pair, request_id=ids[0]) for pair in self.exclusions]
            )
        self.rejections = pairs
        rows = db.session.execute(select(*COLUMNS, text("false"), text("false"), text("false")))
        self.requests = [Request._make(row) for row in rows]

    def _exclusion(self, worker_id: int, customer_id: int, *, request_id: int) -> dict[str, Any]:
        side = self.dice.choice(("customer", "professional"))
        return {"customer_id": customer_id, "professional_id": worker_id, "set_by": side, "request_id": request_id}

    def _workers(self) -> list[Worker]:
        listed = db.session.execute(select(ProfessionalPincode.account_id, ProfessionalPincode.pincode)).all()
        doing = db.session.execute(select(ProfessionalTask.account_id, ProfessionalTask.task_id)).all()
        rows = db.session.execute(
            text("""SELECT a.id, a.pincode, p.radius_km, p.approval = 'approved' AND a.blocked_at IS NULL AS active
                      FROM accounts a JOIN professionals p ON p.account_id = a.id""")
        )
        return [
            Worker(
                row.id,
                row.pincode,
                row.radius_km,
                row.active,
                frozenset(pincode for account_id, pincode in listed if account_id == row.id),
                frozenset(task_id for account_id, task_id in doing if account_id == row.id),
            )
            for row in rows
        ]

    def _request(self, customer_id: int) -> dict[str, Any]:
        at, asked = now(), self.dice.random() < 0.3
        status = "expired" if self.dice.random() < 0.1 else "requested"
        is_asked = asked and status == "requested"
        return {
            "task_id": self.dice.choice(self.tasks),
            "task_name": "x",
            "customer_id": customer_id,
            "asked_professional_id": self.dice.choice(self.workers).id if is_asked else None,
            "asked_until": at + timedelta(hours=self.dice.choice([-2, 2])) if is_asked else None,
            "status": status,
            "expired_at": at if status == "expired" else None,
            "date_of_request": at + timedelta(hours=self.dice.choice([-1, 20, 40])),
            "price": 1,
            "currency": "INR",
            "time_required": 60,
            "address": "x",
            "pincode": self.dice.choice(self.pincodes),
        }

    def serves(self, worker: Worker, pincode: str) -> bool:
        distance = places.metres(self.places[worker.home], self.places[pincode])
        is_near = distance is not None and round(distance) <= worker.radius_km * 1000
        return is_near or worker.home == pincode or pincode in worker.listed

    def seen_by(self, worker: Worker) -> list[Request]:
        actor, at = Actor(worker.id, Role.PROFESSIONAL), now()
        read = [
            request._replace(
                does_task=request.task_id in worker.task_ids,
                rejected=(worker.id, request.id) in self.rejections,
                excluded=(worker.id, request.customer_id) in self.exclusions
                and request.asked_professional_id != worker.id,
            )
            for request in self.requests
        ]
        return [request for request in read if relation(actor, request, at=at) in SEES]


@pytest.mark.parametrize("seed", range(2))
def test_inbox_counts_and_reminders_follow_same_rules(users: Users, app: Flask, unlocated: str, seed: int) -> None:
    dice = random.Random(seed)
    market = Market(users, dice)
    today = now().astimezone(current_settings().zone).date()
    reminded = {one.account_id: one.waiting for one in reminders.candidates(day=today, after=0, until=10**9)}
    assert set(reminded) == {worker.id for worker in market.workers if worker.is_active}
    served = matched = 0
    for worker in dice.sample(market.workers, 40):
        seen, actor = market.seen_by(worker), Actor(worker.id, Role.PROFESSIONAL)
        page = inbox.page(actor, filters=RequestFilters(), inbox_filters=InboxFilters(), window=Window(500))
        assert {item.request for item in page.items} == {request._replace(excluded=False) for request in seen}
        for request in market.requests:  # the same by the facts that every call on a single request reads
            found = read_pool.one(_select_request(Role.PROFESSIONAL), {"id": request.id, "me": worker.id})
            assert (relation(actor, Request._make(found), at=now()) in SEES) == (request.id in {one.id for one in seen})
        assert {item.request.id for item in page.items if item.serves} == {
            request.id for request in seen if market.serves(worker, request.pincode)
        }
        matches = {one.id for one in seen if one.does_task and market.serves(worker, one.pincode)}
        asked = {one.id for one in seen if one.asked_professional_id == worker.id}
        counts = inbox.counts(actor)
        assert (counts.waiting, counts.matching) == (len(seen), len(matches))
        assert reminded.get(worker.id, 0) == (len(matches | asked) if worker.is_active else 0)
        served += sum(item.serves for item in page.items)
        matched += len(matches)
    assert served > 100
    assert matched > 50


@pytest.mark.parametrize("seed", range(2))
def test_professionals_listed_at_place_match_those_notified(
    users: Users, app: Flask, unlocated: str, seed: int
) -> None:
    market = Market(users, random.Random(seed))
    task_id, found = market.tasks[0], 0
    assert unlocated in market.pincodes[:25]
    for pincode in market.pincodes[:25]:
        wanted = {
            worker.id
            for worker in market.workers
            if worker.is_active and task_id in worker.task_ids and market.serves(worker, pincode)
        }
        assert set(matching.nearest(task_id=task_id, pincode=pincode, limit=500)) == wanted
        listed = offering.page(task_id=task_id, pincode=pincode, radius_km=None, window=Window(500))
        assert {row.id for row in listed.items} == wanted
        found += len(wanted)
        for customer in market.customers:
            wanted_by = {worker_id for worker_id in wanted if (worker_id, customer) not in market.exclusions}
            place: dict[str, Any] = {"task_id": task_id, "pincode": pincode, "customer_id": customer}
            assert set(matching.nearest(**place, limit=500)) == wanted_by
            assert {row.id for row in offering.page(**place, radius_km=None, window=Window(500)).items} == wanted_by
    assert found > 50
