"""Availability counts by task and place match a simple count after any sequence of writes."""

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.security.authz import SYSTEM
from backend.domain.accounts.models import Account
from backend.domain.places.models import Place
from backend.domain.professionals import availability
from backend.domain.professionals.models import (
    Professional,
    ProfessionalArea,
    ProfessionalPincode,
    ProfessionalTask,
    TaskHome,
    TaskPlace,
)
from backend.domain.tasks import actions as tasks
from backend.domain.tasks.models import Task
from tests.factories.places import metres
from tests.factories.queries import count_queries
from tests.factories.tasks import make_task
from tests.factories.users import Users

NEAR_BENGALURU = ["560001", "560002", "560038", "560066", "562101", "570001"]


def slow_count() -> tuple[dict[Any, list[float]], Counter[Any], Counter[Any]]:
    """Return distances by pincode and task, counts by region and task, and counts by home and task."""
    places = {place.pincode: place for place in db.session.execute(select(Place)).scalars()}
    by_place: dict[Any, list[float]] = defaultdict(list)
    by_region: Counter[Any] = Counter()
    homes: Counter[Any] = Counter()
    active = select(Account.id, Account.pincode, Professional.radius_km).join(
        Professional, (Professional.account_id == Account.id) & (Professional.approval == "approved")
    )
    for account_id, home, radius_km in db.session.execute(active.where(Account.blocked_at.is_(None))):
        listed = set(
            db.session.execute(
                select(ProfessionalPincode.pincode).where(ProfessionalPincode.account_id == account_id)
            ).scalars()
        )
        doing = list(
            db.session.execute(
                select(ProfessionalTask.task_id).where(ProfessionalTask.account_id == account_id)
            ).scalars()
        )
        far = {pincode: metres(places[home], place) or 0 for pincode, place in places.items()}
        served = {p for p, d in far.items() if round(d) <= radius_km * 1000} | listed | {home}
        regions = {f"{places[p].state}/{places[p].district}" for p in served} | {places[p].state for p in served}
        for task_id in doing:
            homes[home, task_id] += 1
            for pincode in served:
                by_place[pincode, task_id].append(far[pincode])
            by_region.update((region, task_id) for region in regions)
    return by_place, by_region, homes


def stored_counts() -> dict[Any, tuple[int, list[int]]]:
    rows = db.session.execute(
        select(TaskPlace.place, TaskPlace.task_id, TaskPlace.professionals, TaskPlace.nearest, TaskPlace.distances)
    ).all()
    for row in rows:
        assert row.distances == sorted(row.distances)
        assert row.nearest == (row.distances[0] if row.distances else None)
    return {(row.place, row.task_id): (row.professionals, row.distances) for row in rows}


def assert_counts_match() -> None:
    by_place, by_region, homes = slow_count()
    kept = stored_counts()
    assert {key for key, (_, distances) in kept.items() if distances} == set(by_place)
    for key, distances in by_place.items():
        assert kept[key][0] == len(distances)
        assert kept[key][1] == pytest.approx(sorted(distances), abs=1)
    assert {key: n for key, (n, distances) in kept.items() if not distances} == dict(by_region)
    rows = db.session.execute(select(TaskHome.pincode, TaskHome.task_id, TaskHome.professionals)).all()
    assert {(row.pincode, row.task_id): row.professionals for row in rows} == dict(homes)
    totals = {row.id: row.professionals for row in db.session.execute(select(Task.id, Task.professionals))}
    by_task = Counter(dict.fromkeys(totals, 0))
    for (_, task_id), n in homes.items():
        by_task[task_id] += n
    assert totals == dict(by_task)


class Market:
    """Professionals inserted into the tables and changed at random."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.tasks = [make_task().id for _ in range(4)]
        self.pincodes = NEAR_BENGALURU + list(
            db.session.execute(select(Place.pincode).order_by(Place.pincode).limit(4)).scalars()
        )
        self.users: list[int] = []

    def change(self) -> None:
        with transaction():
            if len(self.users) < 3 or self.dice.random() < 0.2:
                account_id = self._new()
            else:
                account_id = self.dice.choice(self.users)
                self.dice.choice([self._move, self._radius, self._list, self._tasks, self._approval, self._block])(
                    account_id
                )
            availability.refresh(account_id)

    def _new(self) -> int:
        n = len(self.users)
        names = dict.fromkeys(("username", "username_key", "email", "email_key", "firstname", "lastname"), f"pro{n}")
        account = Account(
            **names, role="professional", password_hash="-", address="-", pincode=self.dice.choice(self.pincodes)
        )
        db.session.add(account)
        db.session.flush()
        trade = Professional(account_id=account.id, exp=1, compname="-", approval="approved", radius_km=10)
        db.session.add(trade)
        db.session.flush()
        self.users.append(account.id)
        self._tasks(account.id)
        return account.id

    def _move(self, account_id: int) -> None:
        pincode = self.dice.choice(self.pincodes)
        db.session.execute(update(Account).where(Account.id == account_id).values(pincode=pincode))

    def _radius(self, account_id: int) -> None:
        radius = self.dice.choice([1, 5, 10, 15, 60])
        db.session.execute(update(Professional).where(Professional.account_id == account_id).values(radius_km=radius))

    def _list(self, account_id: int) -> None:
        chosen = self.dice.sample(self.pincodes, self.dice.randrange(4))
        db.session.execute(text("DELETE FROM professional_pincodes WHERE account_id = :id"), {"id": account_id})
        for pincode in chosen:
            db.session.execute(insert(ProfessionalPincode).values(account_id=account_id, pincode=pincode))

    def _tasks(self, account_id: int) -> None:
        chosen = self.dice.sample(self.tasks, self.dice.randrange(len(self.tasks) + 1))
        db.session.execute(text("DELETE FROM professional_tasks WHERE account_id = :id"), {"id": account_id})
        for task_id in chosen:
            db.session.execute(insert(ProfessionalTask).values(account_id=account_id, task_id=task_id))

    def _approval(self, account_id: int) -> None:
        state = self.dice.choice(["approved", "approved", "rejected", "pending", "expired"])
        db.session.execute(update(Professional).where(Professional.account_id == account_id).values(approval=state))

    def _block(self, account_id: int) -> None:
        blocked = self.dice.random() < 0.3
        values = {"blocked_at": now() if blocked else None, "blocked_reason": "fraud" if blocked else None}
        db.session.execute(update(Account).where(Account.id == account_id).values(values))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_availability_counts_match_after_every_write(app: Flask, seed: int) -> None:
    market = Market(seed)
    for _ in range(25):
        market.change()
    assert_counts_match()
    with transaction():
        assert availability.rebuild() == 0


@pytest.mark.parametrize("seed", [5, 6])
def test_availability_removed_for_several_professionals_at_once_matches_count(app: Flask, seed: int) -> None:
    market = Market(seed)
    for _ in range(25):
        market.change()
    with transaction():  # all are active and do every task, and some share a home
        db.session.execute(update(Professional).values(approval="approved"))
        db.session.execute(update(Account).values(blocked_at=None, blocked_reason=None))
        together = update(Account).where(Account.id.in_(market.users[:3])).values(pincode="560001")
        db.session.execute(together)
        db.session.execute(delete(ProfessionalTask))
        for account_id in market.users:
            offers = [{"account_id": account_id, "task_id": task_id} for task_id in market.tasks]
            db.session.execute(insert(ProfessionalTask), offers)
            availability.refresh(account_id)
    gone = market.users[: max(3, len(market.users) * 2 // 3)]
    assert max(count for count, _ in stored_counts().values()) > 2
    for _ in range(2):  # removed once; those who are not counted change nothing
        with transaction():
            ended = update(Professional).where(Professional.account_id.in_(gone)).values(approval="expired")
            db.session.execute(ended)
            availability.remove(gone)
        assert_counts_match()
    with transaction():
        assert availability.rebuild() == 0


def test_availability_rebuild_from_empty_tables_restores_counts(app: Flask) -> None:
    market = Market(4)
    for _ in range(20):
        market.change()
    followed = stored_counts()
    with transaction():
        for model in (TaskPlace, TaskHome, ProfessionalArea):
            db.session.execute(delete(model))
        db.session.execute(update(Task).values(professionals=77))
    with transaction():
        assert availability.rebuild() > 0
    assert stored_counts() == followed
    assert_counts_match()


def test_availability_of_deleted_task_leaves_no_counts(app: Flask, users: Users) -> None:
    gone, stays = make_task(), make_task()
    pro = users.professional(task_ids=[gone.id, stays.id])
    with transaction():
        tasks.remove(SYSTEM, task_id=gone.id)
    with transaction():
        db.session.execute(update(Professional).where(Professional.account_id == pro.id).values(radius_km=30))
        availability.refresh(pro.id)
    assert_counts_match()
    with transaction():
        assert availability.rebuild() == 0


def test_availability_refreshed_concurrently_counts_each_professional_once(app: Flask, users: Users) -> None:
    task = make_task()
    pros = [users.professional(approved=False, task_ids=[task.id]).id for _ in range(8)]

    def approve(account_id: int) -> None:
        with app.app_context(), transaction():
            statement = update(Professional).where(Professional.account_id == account_id)
            db.session.execute(statement.values(approval="approved"))
            availability.refresh(account_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(approve, pros))
    assert_counts_match()
    assert stored_counts()["560001", task.id][0] == 8


def test_availability_refresh_without_change_runs_two_queries(app: Flask, users: Users) -> None:
    pro = users.professional(task_ids=[make_task().id])
    with count_queries() as counted, transaction():
        availability.refresh(pro.id)
    assert counted.number == 2
