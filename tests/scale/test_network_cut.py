"""The link between a web machine and the database is cut in the kernel: packets are lost, no connection is closed."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from tests.factories.requests import RequestMarket
from tests.factories.users import User
from tests.scale.lab import NAMESPACES, Lab, needs
from tests.scale.load import Answer, send
from tests.scale.namespaces import IsolatedMachine
from tests.waiting import wait_until

pytestmark = [needs(NAMESPACES), pytest.mark.long]
LONGEST_SECONDS = 12.0  # without an answer; a machine that is busy with other work needs longer, hence `long`
CALLERS = 4


def edit(url: str, user: User) -> Answer:
    headers = {**user.headers, "Content-Type": "application/json"}
    return send(url, "PATCH", "/me", json.dumps({"address": "14 MG Road"}).encode(), headers)


def test_calls_during_a_cut_are_refused_in_time_and_a_cut_commit_is_unknown(lab: Lab, market: RequestMarket) -> None:
    machine = lab.machine("one")
    isolated = IsolatedMachine(
        lab, database=lab.environ["DATABASE_URL"], valkey=lab.environ["REDIS_URL"], web_port=machine.port
    )  # fmt: skip
    isolated.put(machine)
    # Tests set a longer limit for busy machines.
    machine.start("web", DATABASE_URL=isolated.database, DB_SILENT_SECONDS="6")
    asha = market.users.customer()
    assert edit(machine.url, asha).status == 200
    assert send(machine.url, "GET", "/me", headers=asha.headers).status == 200

    isolated.cut()
    with ThreadPoolExecutor(CALLERS * 2) as threads:
        writes = [threads.submit(edit, machine.url, asha) for _ in range(CALLERS)]
        reads = [threads.submit(send, machine.url, "GET", "/me", headers=asha.headers) for _ in range(CALLERS)]
        answers = [call.result() for call in [*writes, *reads]]
    print("seconds:", sorted(round(answer.seconds, 1) for answer in answers))
    assert {answer.status for answer in answers} == {503}
    assert all(answer.retry_after for answer in answers)
    assert max(answer.seconds for answer in answers) < LONGEST_SECONDS
    restored = time.monotonic()
    isolated.restore()
    assert wait_until(lambda: edit(machine.url, asha).status == 200)
    print("good answer after:", round(time.monotonic() - restored, 1))
    assert time.monotonic() - restored < LONGEST_SECONDS

    headers = {**asha.headers, "Content-Type": "application/json", "Idempotency-Key": "one-request"}
    body = json.dumps(market.body()).encode()
    isolated.cut_at_commit()
    lost = send(machine.url, "POST", "/requests", body, headers)
    assert (lost.status, json.loads(lost.body)["code"]) == (503, "outcome_unknown")
    assert lost.seconds < LONGEST_SECONDS
    db.session.rollback()
    made = db.session.execute(text("SELECT id FROM task_requests")).scalar_one()
    db.session.rollback()
    isolated.restore()
    again: list[Answer] = []

    def is_answered() -> bool:
        again.append(send(machine.url, "POST", "/requests", body, headers))
        return again[-1].status == 201

    assert wait_until(is_answered), again[-1]
    assert json.loads(again[-1].body)["id"] == made
    assert db.session.execute(text("SELECT count(*) FROM task_requests")).scalar_one() == 1
    db.session.rollback()
