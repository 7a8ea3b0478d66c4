"""A thousand calls at once to two machines that share six sessions of the database through PgBouncer."""

import json
import uuid
from collections import Counter
from typing import Final

from sqlalchemy import text

from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.silent_proxy import SilentProxy
from tests.factories.users import User
from tests.scale import pgbouncer
from tests.scale.crowd import Call, describe, send_at_once
from tests.scale.lab import Lab, Machine
from tests.scale.load import CREATED, READS, Answer
from tests.waiting import wait_until

CALLS: Final = 1000
CUSTOMERS: Final = 25
LONGEST_SECONDS: Final = 6.0  # that a call may wait for a database that was stopped


def crowd(machines: tuple[Machine, Machine], customers: list[User], market: RequestMarket) -> list[Call]:
    """Return reads of each kind, and one new request in six calls, by turns on both machines."""
    made = []
    for number in range(CALLS):
        kind = number % (len(READS) + 1)
        user, url = customers[number % CUSTOMERS], machines[number % 2].url
        if kind < len(READS):
            made.append(Call(url, "GET", READS[kind], user.headers))
            continue
        headers = {**user.headers, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        body = market.body(date_of_request=f"2027-03-{1 + number % 28:02}T{number % 24:02}:00:00+05:30")
        made.append(Call(url, "POST", "/requests", headers, json.dumps(body).encode()))
    return made


def created(answers: list[Answer]) -> set[int]:
    return {json.loads(answer.body)["id"] for answer in answers if answer.status == CREATED}


def held() -> set[int]:
    """Return the requests in the database."""
    db.session.rollback()
    found = {row[0] for row in db.session.execute(text("SELECT id FROM task_requests"))}
    db.session.rollback()
    return found


def test_thousand_calls_at_once_are_served_and_without_a_database_refused(
    lab: Lab, market: RequestMarket, pooled: dict[str, str], database: SilentProxy
) -> None:
    machines = lab.machine("one", **pooled), lab.machine("two", **pooled)
    machines[0].run("backend.launch.prepare")
    for machine in machines:
        machine.start("web")
    market.professional()
    customers = [market.users.customer() for _ in range(CUSTOMERS)]

    calls = crowd(machines, customers, market)
    served = send_at_once(calls)
    print("served:", describe(served))
    assert {answer.status for answer in served} == {200, CREATED}, Counter((a.call, a.status) for a in served)
    assert created(served) == held()
    assert len(held()) == sum(call.method == "POST" for call in calls)

    # What bounds a call is a setting each, as the time itself is the machine's.
    assert int(pgbouncer.limits(pooled["DATABASE_URL"])["query_wait_timeout"]) < LONGEST_SECONDS
    assert Settings.from_env(machines[0].environ).db_pool_timeout_seconds < LONGEST_SECONDS

    database.cut()
    refused = send_at_once(crowd(machines, customers, market))
    print("refused:", describe(refused), dict(Counter((a.call, a.status) for a in refused)))
    assert {answer.status for answer in refused} == {503}
    assert all(answer.retry_after for answer in refused)
    database.restore()

    def is_back() -> bool:
        return {answer.status for answer in send_at_once(calls[:2])} == {200}

    assert wait_until(is_back)
    again = send_at_once(crowd(machines, customers, market))
    print("served again:", describe(again))
    assert {answer.status for answer in again} == {200, CREATED}, Counter((a.call, a.status) for a in again)
    assert created(served) | created(again) <= held()
