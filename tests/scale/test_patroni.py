"""PostgreSQL with Patroni, PgBouncer and HAProxy as shipped: what happens to calls when a part of it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from backend.core.db.session import db
from tests.scale.archive import Archive
from tests.scale.lab import NAMESPACES, Lab, needs
from tests.scale.markets import loads, on_database
from tests.scale.namespaces import Link
from tests.scale.patroni import CONFIGURATION, NODES, PASSWORD, PROGRAMS, Cluster
from tests.waiting import wait_until

pytestmark = [needs("patroni>=4", "etcd", "haproxy", "pgbouncer"), pytest.mark.long]
CALLS = 150
# A call may wait for a connection as long as the script holds calls at the pooler.
PATIENT = {"DB_POOL_TIMEOUT_SECONDS": "60"}


@pytest.fixture
def cluster(bare_lab: Lab, public_folder: Path) -> Iterator[Cluster]:
    with closing_cluster(Cluster(bare_lab, public_folder)) as made:
        yield made


@contextmanager
def closing_cluster(cluster: Cluster) -> Iterator[Cluster]:
    try:
        yield cluster
    finally:
        cluster.end()


def test_switchover_fails_no_call_and_killed_leader_loses_no_write(bare_lab: Lab, cluster: Cluster) -> None:
    with loads(bare_lab, cluster.settings, **PATIENT) as make_load:
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


def test_archive_follows_the_next_leader_and_restores_all_writes(
    bare_lab: Lab, cluster: Cluster, public_folder: Path
) -> None:
    """WAL is received from the leader and from the one after it; all three nodes are lost, and the archive restored."""
    archive = Archive(bare_lab, public_folder, programs=PROGRAMS, user=cluster.user)
    cluster.keep_slot_of_archive()
    archive.receive(cluster.primary, PASSWORD)
    with loads(bare_lab, cluster.settings) as make_load:
        with make_load() as load:
            load.wait_for_calls(CALLS)
            archive.base_backup()
            cluster.kill(cluster.wait_until_calm())
            load.wait_for_writes(CALLS)
        archive.wait_for(cluster.superuser_url)
    cluster.end()
    restored = f"postgresql://doorstep_app:{PASSWORD}@127.0.0.1:{archive.restore()}/doorstep"
    try:
        with on_database({**bare_lab.environ, "DATABASE_URL": restored}):
            assert load.lost() == {}
    finally:
        archive.end()


@needs(NAMESPACES)
def test_silent_etcd_fails_no_call_and_leader_cut_off_loses_no_write(bare_lab: Lab, public_folder: Path) -> None:
    """The leader's link is cut in the kernel; before that, etcd is silent for longer than a leader may be."""
    ttl = yaml.safe_load(CONFIGURATION.read_text())["bootstrap"]["dcs"]["ttl"]
    link, first = Link(bare_lab), NODES[0]
    with (
        closing_cluster(Cluster(bare_lab, public_folder, link)) as cluster,
        loads(bare_lab, cluster.settings) as make_load,
    ):
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
