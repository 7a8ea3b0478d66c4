"""Two machines on one database: each of them gives the same answer."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.factories.requests import RequestMarket
from tests.factories.users import User
from tests.scale.lab import Lab, Machine

RACES = 4
PROFESSIONALS = 4


def call(
    machine: Machine, who: User | None, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Call the API of one machine; return status and body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Content-Type": "application/json", **(who.headers if who else {}), **named}
    data = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(f"{machine.url}{path}", data=data, headers=given, method=method)
    try:
        with urllib.request.urlopen(asked) as response:
            status, content = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    return status, json.loads(content) if content else None


def require_agreement(one: Machine, two: Machine, market: RequestMarket) -> None:
    """Race for requests, repeat one, change what both have cached, and sign out, each on two running machines."""
    machines = (one, two)
    customer, admin = market.users.customer(), market.users.admin()
    crowd = [market.professional() for _ in range(PROFESSIONALS)]

    with ThreadPoolExecutor(PROFESSIONALS * 2) as threads:
        for number in range(RACES):
            made = market.ask(customer, date_of_request=f"2027-03-{number + 1:02}T10:00:00+05:30")
            path = f"/requests/{made['id']}/accept"
            racers = [threads.submit(call, machine, who, "POST", path) for who in crowd for machine in machines]
            statuses = [racer.result()[0] for racer in racers]
            assert statuses.count(200) in (1, 2), statuses  # the winner's own call on the other machine may repeat it
            row = call(one, customer, "GET", f"/requests/{made['id']}")[1]
            assert row == call(two, customer, "GET", f"/requests/{made['id']}")[1]
            assert row["status"] == "accepted"

        body = market.body()
        both = [
            threads.submit(call, machine, customer, "POST", "/requests", body, Idempotency_Key="one-order")
            for machine in machines
        ]
        answers = [one_of.result() for one_of in both]
    assert {status for status, _ in answers} <= {201, 409}
    ids = {body["id"] for status, body in answers if status == 201}
    assert len(ids) == 1
    assert call(two, customer, "POST", "/requests", market.body() | body, Idempotency_Key="one-order")[1]["id"] in ids

    for machine in machines:
        call(machine, None, "GET", "/tasks")  # both have the list in their caches
    status, task = call(one, admin, "PATCH", f"/tasks/{market.task_id}", {"name": "Pipes"}, If_Match="*")
    assert status == 200, task
    for machine in machines:
        assert [item["name"] for item in call(machine, None, "GET", "/tasks")[1]["items"]] == ["Pipes"]

    assert call(one, customer, "POST", "/logout", {})[0] in (200, 204)
    assert [call(machine, customer, "GET", "/me")[0] for machine in machines] == [401, 401]


def test_two_machines_agree_on_races_repetitions_caches_and_sessions(lab: Lab, market: RequestMarket) -> None:
    machines = lab.machine("one"), lab.machine("two")
    for machine in machines:
        machine.start("web")
    require_agreement(*machines, market)
