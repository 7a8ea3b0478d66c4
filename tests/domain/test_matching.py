"""The nearest professionals by an index are those whom a look at everyone finds; badges count up to a bound."""

import random
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from backend.domain.professionals import availability
from backend.domain.task_requests import inbox, matching
from tests.factories.people import People
from tests.factories.requests import RequestMarket

PINCODES: Final = ["560001", "560002", "560038", "560066", "562101", "570001", "110001"]
EVERYONE: Final = text("""
    SELECT p.account_id
      FROM professional_tasks t
      JOIN professionals p ON p.account_id = t.account_id AND p.approval = 'approved'
      JOIN accounts a ON a.id = p.account_id AND a.blocked_at IS NULL
      JOIN places home ON home.pincode = a.pincode
      JOIN places there ON there.pincode = :pincode
      CROSS JOIN LATERAL (
        SELECT earth_distance(ll_to_earth(home.latitude, home.longitude),
                              ll_to_earth(there.latitude, there.longitude)) / 1000.0 AS km
      ) distance
     WHERE t.task_id = :task_id
       AND (distance.km <= p.radius_km OR a.pincode = :pincode OR EXISTS (
              SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode))
     ORDER BY distance.km ASC NULLS LAST, p.account_id
     LIMIT :limit
""")
SCATTER: Final = """
    WITH fresh AS (
        INSERT INTO accounts (role, username, username_key, email, email_key, password_hash, firstname, lastname,
                              address, pincode, blocked_at, blocked_reason)
        SELECT 'professional', :mark || n, :mark || n, :mark || n || '@x.org', :mark || n || '@x.org', 'x', 'x', 'x',
               'x', (CAST(:pincodes AS text[]))[1 + floor(random() * cardinality(CAST(:pincodes AS text[])))::int],
               CASE WHEN n % 11 = 0 THEN now() END, CASE WHEN n % 11 = 0 THEN 'x' END
          FROM generate_series(1, 150) n RETURNING id
    ), pros AS (
        INSERT INTO professionals (account_id, exp, compname, radius_km, approval)
        SELECT id, 1, 'x', 1 + floor(random() * 60)::int, CASE WHEN id % 7 = 0 THEN 'pending' ELSE 'approved' END
          FROM fresh RETURNING account_id
    ), listed AS (
        INSERT INTO professional_pincodes (account_id, pincode)
        SELECT account_id, (CAST(:pincodes AS text[]))[1 + account_id % cardinality(CAST(:pincodes AS text[]))]
          FROM pros WHERE account_id % 5 = 0
    )
    INSERT INTO professional_tasks (account_id, task_id) SELECT account_id, :task_id FROM pros WHERE account_id % 4 > 0
"""


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_are_those_whom_a_look_at_everyone_finds(people: People, app: Flask, seed: int) -> None:
    task_id = RequestMarket(people).task_id
    around = text("SELECT pincode FROM places WHERE pincode LIKE '560%' OR latitude IS NULL ORDER BY pincode LIMIT 60")
    pincodes = [*PINCODES, *db.session.execute(around).scalars()]
    with transaction():
        db.session.execute(text("SELECT setseed(:seed)"), {"seed": seed / 10})
        db.session.execute(text(SCATTER), {"mark": "pro", "pincodes": pincodes, "task_id": task_id})
        availability.rebuild()
    found: set[int] = set()
    for pincode in random.Random(seed).sample(pincodes, 25):
        values: dict[str, Any] = {"task_id": task_id, "pincode": pincode, "limit": 200}
        wanted = list(db.session.execute(EVERYONE, values).scalars())
        assert matching.nearest(**values) == wanted
        assert matching.nearest(**values | {"limit": 5}) == wanted[:5]
        found.update(wanted)
    assert len(found) > 50


def test_badges_count_up_to_a_bound(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    market = RequestMarket(people)
    ravi, asha = market.professional(), people.customer()
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
