"""Declining a request by a professional who was not asked; tasks with policies; availability counts."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.cache.versions import CATALOGUE
from backend.core.db.session import db, transaction
from backend.domain.professionals import availability
from tests.factories.requests import WHY, RequestMarket
from tests.factories.users import User, Users

MARKS = text("SELECT version, updated_at FROM task_requests WHERE id = :id")


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def marks(request_id: int) -> Any:
    found = db.session.execute(MARKS, {"id": request_id}).one()
    db.session.rollback()
    return tuple(found)


def new_in_inbox(who: User) -> int:
    return int(who.get("/me/inbox").json["new"])


def test_reject_by_professional_not_asked_leaves_request_unchanged_for_others(
    market: RequestMarket, users: Users
) -> None:
    asha, ravi, meena = users.customer(), market.professional(), market.professional()
    request = market.ask(asha)
    path = f"/requests/{request['id']}"
    etag = asha.get(path).headers["ETag"]
    assert meena.post("/me/inbox").status_code == 200
    before = marks(request["id"])
    assert ravi.post(f"{path}/reject", WHY).status_code == 200
    assert marks(request["id"]) == before
    assert asha.get(path).headers["ETag"] == etag
    assert new_in_inbox(meena) == 0
    assert request["id"] not in [row["id"] for row in ravi.get("/requests").json["items"]]
    assert asha.patch(path, {"remarks": "Ring twice"}, headers={"If-Match": etag}).status_code == 200


def test_reject_by_many_concurrently_leaves_request_unchanged(market: RequestMarket, users: Users) -> None:
    asha = users.customer()
    some = [market.professional() for _ in range(10)]
    request = market.ask(asha)
    before = marks(request["id"])
    with ThreadPoolExecutor(len(some)) as pool:
        answers = list(pool.map(lambda who: who.post(f"/requests/{request['id']}/reject", WHY).status_code, some))
    assert answers == [200] * len(some)
    assert marks(request["id"]) == before
    events = text("SELECT count(*) FROM request_events WHERE action = 'reject'")
    assert db.session.execute(events).scalar_one() == len(some)


def test_reject_by_asked_professional_increases_version(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.ask(asha, professional_id=ravi.id)
    before = marks(request["id"])
    assert ravi.post(f"/requests/{request['id']}/reject", WHY).status_code == 200
    assert marks(request["id"])[0] == before[0] + 1


def test_delete_task_with_policy_and_without_requests_deletes_both(market: RequestMarket, users: Users) -> None:
    admin = users.admin()
    path = f"/tasks/{market.task('Gardening')}"
    assert admin.put(f"{path}/policy", {"min_notice_minutes": 60}).status_code == 200
    assert admin.delete(path).status_code == 204
    left = text("SELECT (SELECT count(*) FROM task_policies), (SELECT count(*) FROM tasks WHERE name = 'Gardening')")
    assert tuple(db.session.execute(left).one()) == (0, 0)


def test_availability_rebuild_that_corrects_counts_invalidates_cache(market: RequestMarket, app: Flask) -> None:
    market.professional()
    version = text("SELECT version::text FROM cache_versions WHERE name = :name")
    with transaction():
        assert availability.rebuild() == 0
    before = db.session.execute(version, {"name": CATALOGUE}).scalar_one()
    with transaction():
        db.session.execute(text("UPDATE task_places SET professionals = professionals + 1"))
        assert db.session.execute(version, {"name": CATALOGUE}).scalar_one() == before
    with transaction():
        assert availability.rebuild() > 0
    assert db.session.execute(version, {"name": CATALOGUE}).scalar_one() != before
