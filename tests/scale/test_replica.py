"""Lists from a replica that is seconds behind: nobody misses what they wrote, and nobody notices when it is gone."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from backend.core.clock import now
from backend.launch.embedded import EmbeddedPostgres
from tests.conftest import FAST
from tests.factories.requests import RequestMarket
from tests.factories.standby import Standby
from tests.factories.users import User
from tests.scale.lab import Lab, Machine, get
from tests.scale.load import Load
from tests.waiting import wait_until

CLIENTS = 8
CALLS = 60
LATE = {**FAST, "shared_buffers": "16MB", "recovery_min_apply_delay": "3s"}
SCANS = """
    SELECT CAST(idx_scan + seq_scan AS int) FROM pg_stat_user_tables WHERE relname = 'task_requests'
"""


@pytest.fixture
def standby(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Standby]:
    """Return a replica of the tests' database that replays changes three seconds late."""
    made = Standby(tmp_path / "standby", postgres, **LATE)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


def reads(machine: Machine, server: str) -> int:
    """Return how many reads that may be behind a server has answered."""
    found = re.search(rf'db_reads_behind_total{{server="{server}"}} (\d+)', get(f"{machine.url}/metrics")[1].decode())
    return int(found[1]) if found else 0


def create_and_read(load: Load, user: User, rounds: int) -> list[str]:
    """Return what a customer did not find in the list just after it was created or cancelled."""
    missed, statuses = [], {}
    for number in range(rounds):
        when = now() + timedelta(days=1, hours=number)  # the latest comes first
        body = {"task_id": load.task_id, "date_of_request": when.isoformat()}
        made = load.call(user, "POST", "/requests", body)
        assert made.status == 201, made
        request_id = json.loads(made.body)["id"]
        statuses[request_id] = "requested"
        if number % 4 == 3:
            ended = load.call(user, "POST", f"/requests/{request_id}/cancel", {"reason": "Plans changed."})
            assert ended.status == 200, ended
            statuses[request_id] = "cancelled"
        listed = load.call(user, "GET", "/requests?limit=5")
        found = {item["id"]: item["status"] for item in json.loads(listed.body)["items"]}
        if found.get(request_id) != statuses[request_id]:
            missed.append(f"{user.username}: {request_id} is {found.get(request_id)}")
    return missed


@pytest.mark.parametrize("rounds", [8, pytest.param(125, marks=pytest.mark.long)])
def test_late_replica_serves_lists_and_nobody_misses_own_changes(
    lab: Lab, market: RequestMarket, standby: Standby, rounds: int
) -> None:
    market.professional()
    users = market.users
    customers, quiet, admin = [users.customer() for _ in range(CLIENTS)], users.customer(), users.admin()
    one = lab.machine("one", DATABASE_REPLICA_URL=standby.url)
    one.start("web")
    load = Load(one.url, customers, market.task_id)

    def quiet_reads() -> bool:
        before = reads(one, "replica")
        assert load.call(quiet, "GET", "/requests").status == 200
        return reads(one, "replica") > before

    assert wait_until(quiet_reads)
    with ThreadPoolExecutor(CLIENTS) as threads:
        missed = list(threads.map(lambda user: create_and_read(load, user, rounds), customers))
    assert [line for lines in missed for line in lines] == []
    assert reads(one, "primary") > 0  # the replica did not have what they wrote
    assert wait_until(quiet_reads)  # while it served those who wrote nothing
    with psycopg.connect(standby.url, autocommit=True) as there:
        assert wait_until(lambda: (there.execute(SCANS).fetchone() or [0])[0] > 0)

    assert load.call(admin, "POST", f"/users/{quiet.id}/block", {"reason": "fraud"}).status == 200
    assert load.call(quiet, "GET", "/requests").status == 403

    with load:
        load.wait_for_calls(CALLS)
        standby.stop()
        load.wait_for_calls(CALLS)
        load.wait_for_writes(CLIENTS)
    assert load.failed() == []
    assert load.lost() == {}
    assert {answer.status for answer in load.refused()} <= {403}
