"""Many accounts and open requests at once, by plain SQL, for concurrency tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Barrier, Thread
from typing import Any

from flask import Flask
from sqlalchemy import text

from backend.core.db.session import db, transaction
from backend.core.security.authz import Actor, Role
from tests.waiting import HANG_SECONDS

ACCOUNTS = text("""
INSERT INTO accounts (role, username, username_key, email, email_key, password_hash,
                      firstname, lastname, address, pincode)
SELECT :role, name, name, name || '@example.org', name || '@example.org',
       'none', 'N' || n, 'Rao', '12 MG Road', '560001'
  FROM (SELECT n, :role || 'c' || n AS name FROM generate_series(1, CAST(:many AS integer)) AS n) names RETURNING id
""")
TRADES = text("""
INSERT INTO professionals (account_id, exp, compname, approval)
SELECT id, 5, 'Rao and Sons', 'approved' FROM accounts WHERE role = 'professional' AND username LIKE 'professionalc%'
""")
TASKS_DONE = text("""
INSERT INTO professional_tasks (account_id, task_id)
SELECT account_id, :task_id FROM professionals WHERE compname = 'Rao and Sons'
""")
REQUESTS = text("""
INSERT INTO task_requests (task_id, task_name, customer_id, date_of_request, price, currency,
                           time_required, address, pincode)
SELECT :task_id, 'Plumbing', :customer_id,
       now() + interval '1 day' + n * make_interval(mins => CAST(:apart AS integer)),
       499, 'INR', 60, '12 MG Road', '560001'
  FROM generate_series(1, CAST(:many AS integer)) AS n RETURNING id
""")


@dataclass(frozen=True)
class Crowd:
    """Professionals who may all accept any of the requests."""

    customer: Actor
    professionals: list[Actor]
    request_ids: list[int]


def gather(*, task_id: int, professionals: int, requests: int, apart_minutes: int = 60) -> Crowd:
    """Create them. ``apart_minutes`` is the time between the dates of two requests, which take 60 minutes each."""
    with transaction():
        run = db.session.execute
        (customer_id,) = run(ACCOUNTS, {"role": "customer", "many": 1}).scalars().all()
        ids = run(ACCOUNTS, {"role": "professional", "many": professionals}).scalars().all()
        run(TRADES)
        run(TASKS_DONE, {"task_id": task_id})
        values = {"task_id": task_id, "customer_id": customer_id, "many": requests, "apart": apart_minutes}
        request_ids = list(run(REQUESTS, values).scalars())
    users = [Actor(id=key, role=Role.PROFESSIONAL) for key in ids]
    return Crowd(Actor(id=customer_id, role=Role.CUSTOMER), users, request_ids)


def at_once(app: Flask, works: Sequence[Callable[[], Any]]) -> list[list[Any]]:
    """Run each function in its own thread, all starting together, and return their results."""
    barrier = Barrier(len(works))
    results: list[list[Any]] = [[] for _ in works]

    def run(place: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            barrier.wait(timeout=HANG_SECONDS)
            results[place].extend(work())
            db.session.remove()

    threads = [Thread(target=run, args=(place, work), daemon=True) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=HANG_SECONDS)
        assert not thread.is_alive()
    return results
