"""PostgreSQL with Patroni, PgBouncer and HAProxy as shipped: the leader is replaced while people use the market."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.users import Users
from tests.scale.lab import Lab, needs
from tests.scale.load import Load
from tests.scale.patroni import Cluster

pytestmark = [needs("patroni>=4", "etcd", "haproxy", "pgbouncer"), pytest.mark.long]
CALLS = 150
# A call may wait for a connection as long as the script holds calls at the pooler.
PATIENT = {"DB_POOL_TIMEOUT_SECONDS": "60", "DB_READ_POOL_SIZE": "8"}


@pytest.fixture
def lab(environ: dict[str, str], tmp_path: Path, public_folder: Path) -> Iterator[Lab]:
    """Return a lab without the tests' own market. It ends before the folder in which the nodes write."""
    made = Lab(environ, tmp_path)
    yield made
    made.end()


@pytest.fixture
def cluster(lab: Lab, public_folder: Path) -> Iterator[Cluster]:
    made = Cluster(lab, public_folder)
    yield made
    made.end()


def longest_outage(load: Load) -> float:
    """Return the longest time in seconds between two writes that succeeded."""
    times = sorted(answer.at for answer in load.answers if answer.call == "create" and answer.status == 201)
    return max(later - earlier for earlier, later in pairwise(times))


def test_switchover_fails_no_call_and_killed_leader_loses_no_write(lab: Lab, cluster: Cluster) -> None:
    one = lab.machine("one", **cluster.settings, **PATIENT)
    one.changes["PUBLIC_URL"] = one.url
    one.run("backend.launch.prepare")
    one.start("web")
    app = create_app(Settings.from_env(one.environ))
    with ExitStack() as stack:
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        market = RequestMarket(Users(app))
        market.professional()
        customers = [market.users.customer() for _ in range(3)]

        first = cluster.wait_until_calm()
        with Load(one.url, customers, market.task_id) as load:
            load.wait_for_calls(CALLS)
            cluster.switch_over()
            load.wait_for_calls(CALLS)
        assert load.failed() == []
        assert load.refused() == []
        assert load.lost() == {}
        second = cluster.wait_until_calm()
        assert second != first
        print(f"switchover: {len(load.answers)} calls, longest {max(answer.seconds for answer in load.answers):.1f} s")

        with Load(one.url, customers, market.task_id) as load:
            load.wait_for_calls(CALLS)
            cluster.kill(second)
            load.wait_for_writes(CALLS)
        db.engine.dispose()
        assert load.lost() == {}
        assert cluster.leader() not in {"", second}
        cluster.start(second)
        cluster.wait_until_calm()  # it follows again by itself
        failed = f"{len(load.failed())} of {len(load.answers)} calls failed"
        print(f"killed: {len(load.acknowledged)} writes, none for {longest_outage(load):.1f} s, {failed}")
