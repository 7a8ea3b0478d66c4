"""PostgreSQL with Patroni, PgBouncer and HAProxy as shipped: what happens to calls when a part of it fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from backend.app import create_app
from backend.core.db.session import db
from backend.settings import Settings
from tests.factories.requests import RequestMarket
from tests.factories.users import Users
from tests.scale.lab import NAMESPACES, Lab, needs
from tests.scale.load import Load
from tests.scale.namespaces import Link
from tests.scale.patroni import CONFIGURATION, NODES, Cluster
from tests.waiting import wait_until

pytestmark = [needs("patroni>=4", "etcd", "haproxy", "pgbouncer"), pytest.mark.long]
CALLS = 150
# A call may wait for a connection as long as the script holds calls at the pooler.
PATIENT = {"DB_POOL_TIMEOUT_SECONDS": "60"}


@pytest.fixture
def lab(environ: dict[str, str], tmp_path: Path, public_folder: Path) -> Iterator[Lab]:
    """Return a lab without the tests' own market. It ends before the folder in which the nodes write."""
    made = Lab(environ, tmp_path)
    yield made
    made.end()


@pytest.fixture
def cluster(lab: Lab, public_folder: Path) -> Iterator[Cluster]:
    with closing_cluster(Cluster(lab, public_folder)) as made:
        yield made


@contextmanager
def closing_cluster(cluster: Cluster) -> Iterator[Cluster]:
    try:
        yield cluster
    finally:
        cluster.end()


@contextmanager
def loads(lab: Lab, cluster: Cluster, **changes: str) -> Iterator[Callable[[], Load]]:
    """Start a web server on the cluster, and return what makes a load for it."""
    one = lab.machine("one", **cluster.settings, DB_READ_POOL_SIZE="8", **changes)
    one.changes["PUBLIC_URL"] = one.url
    one.run("backend.launch.prepare")
    one.start("web")
    app = create_app(Settings.from_env(one.environ))
    with app.app_context():
        try:
            market = RequestMarket(Users(app))
            market.professional()
            customers = [market.users.customer() for _ in range(3)]
            yield lambda: Load(one.url, customers, market.task_id)
        finally:
            db.engine.dispose()


def test_switchover_fails_no_call_and_killed_leader_loses_no_write(lab: Lab, cluster: Cluster) -> None:
    with loads(lab, cluster, **PATIENT) as make_load:
        first = cluster.wait_until_calm()
        with make_load() as load:
            load.wait_for_calls(CALLS)
            cluster.switch_over()
            load.wait_for_calls(CALLS)
        assert load.failed() == []
        assert load.refused() == []
        assert load.lost() == {}
        second = cluster.wait_until_calm()
        assert second != first

        with make_load() as load:
            load.wait_for_calls(CALLS)
            cluster.kill(second)
            load.wait_for_writes(CALLS)
        db.engine.dispose()
        assert load.lost() == {}
        assert cluster.leader() not in {"", second}
        cluster.start(second)
        cluster.wait_until_calm()  # it follows again by itself


@needs(NAMESPACES)
def test_silent_etcd_fails_no_call_and_leader_cut_off_loses_no_write(lab: Lab, public_folder: Path) -> None:
    """The leader's link is cut in the kernel; before that, etcd is silent for longer than a leader may be."""
    ttl = yaml.safe_load(CONFIGURATION.read_text())["bootstrap"]["dcs"]["ttl"]
    link, first = Link(lab), NODES[0]
    with closing_cluster(Cluster(lab, public_folder, link)) as cluster, loads(lab, cluster) as make_load:
        with make_load() as load:
            load.wait_for_calls(CALLS)
            cluster.stop_etcd()
            assert wait_until(lambda: cluster.seconds_without_etcd(first) > ttl + 5)
            load.wait_for_writes(CALLS)
            cluster.continue_etcd()
            assert cluster.wait_until_calm() == first
            load.wait_for_calls(CALLS)
        assert load.failed() == []
        assert load.lost() == {}

        with make_load() as load:
            load.wait_for_calls(CALLS)
            link.cut()
            assert wait_until(lambda: cluster.leader() not in {"", first})
            assert not cluster.accepts_writes(first)
            load.wait_for_writes(CALLS)
        db.engine.dispose()
        assert {answer.status for answer in load.failed()} <= {503}
        assert load.lost() == {}
        second = cluster.leader()
        link.restore()
        assert cluster.wait_until_calm() == second  # the first one follows again by itself
        assert load.lost() == {}
