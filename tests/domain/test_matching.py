"""Matching by index against a scan of all professionals; inbox counts with an upper limit."""

import random
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.domain.professionals import availability
from backend.domain.task_requests import inbox, matching
from tests.factories.requests import RequestMarket
from tests.factories.scatter import pincodes_nearby, scatter
from tests.factories.users import Users

EVERYONE: Final = text("""
    SELECT p.account_id
      FROM professional_tasks t
      JOIN professionals p ON p.account_id = t.account_id AND p.approval = 'approved'
      JOIN accounts a ON a.id = p.account_id AND a.blocked_at IS NULL
      JOIN places home ON home.pincode = a.pincode
      JOIN places there ON there.pincode = :pincode
      CROSS JOIN LATERAL (
        SELECT round(earth_distance(ll_to_earth(home.latitude, home.longitude),
                                    ll_to_earth(there.latitude, there.longitude))) AS metres
      ) distance
     WHERE t.task_id = :task_id
       AND (distance.metres <= p.radius_km * 1000 OR a.pincode = :pincode OR EXISTS (
              SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode))
     ORDER BY distance.metres ASC NULLS LAST, p.account_id
     LIMIT :limit
""")


@pytest.mark.parametrize("seed", range(3))
def test_matching_nearest_returns_same_as_full_scan(users: Users, app: Flask, seed: int) -> None:
    task_id = RequestMarket(users).task_id
    pincodes = pincodes_nearby()
    with transaction():
        scatter(task_id, pincodes, seed=seed / 10)
        availability.rebuild()
    found: set[int] = set()
    for pincode in random.Random(seed).sample(pincodes, 25):
        values: dict[str, Any] = {"task_id": task_id, "pincode": pincode, "limit": 200}
        wanted = list(db.session.execute(EVERYONE, values).scalars())
        assert matching.nearest(**values) == wanted
        assert matching.nearest(**values | {"limit": 5}) == wanted[:5]
        found.update(wanted)
    assert len(found) > 50


def test_inbox_counts_stop_at_limit(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    market = RequestMarket(users)
    ravi, asha = market.professional(), users.customer()
    for _ in range(4):
        market.ask(asha)
    actor = Actor(ravi.id, Role.PROFESSIONAL)
    full = inbox.counts(actor)
    assert full[:3] == (4, 4, 4)
    monkeypatch.setattr(inbox, "COUNTED", 3)
    capped = inbox.counts(actor)
    assert capped[:3] == (3, 3, 3)
    monkeypatch.undo()
    with transaction():
        inbox.mark_seen(actor)
    market.ask(asha)
    seen = inbox.counts(actor)
    assert seen[:3] == (5, 5, 1)
