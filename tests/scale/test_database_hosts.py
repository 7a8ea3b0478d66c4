"""A primary and its standby, as the doctor sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from backend.cli import doctor_hosts
from backend.launch.embedded import EmbeddedPostgres
from tests.conftest import FAST
from tests.factories.servers import free_port
from tests.factories.standby import Standby
from tests.waiting import wait_until

SMALL: Final = {**FAST, "shared_buffers": "16MB"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[EmbeddedPostgres, Standby]]:
    primary = EmbeddedPostgres(tmp_path / "primary", parameters=SMALL)
    primary.start()
    standby = Standby(tmp_path / "standby", primary, **SMALL)
    try:
        standby.start()
        yield primary, standby
    finally:
        standby.destroy()
        primary.destroy()


def url_of(first: EmbeddedPostgres, *ports: int | None) -> str:
    """Return the URL of the first server, with more hosts."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in (first.port, *ports))
    return first.url.replace(f"127.0.0.1:{first.port}", hosts)


def verdict(url: str) -> doctor_hosts.Verdict:
    return doctor_hosts.judge(list(doctor_hosts.ask(url)))


def test_doctor_names_role_and_lag_of_each_database_host(pair: tuple[EmbeddedPostgres, Standby]) -> None:
    primary, standby = pair
    nowhere = free_port()
    url, three = url_of(primary, standby.port), url_of(primary, standby.port, nowhere)
    roles = f"127.0.0.1:{primary.port} is the primary; 127.0.0.1:{standby.port} is a standby, "
    with psycopg.connect(standby.url, autocommit=True) as there, psycopg.connect(primary.url, autocommit=True) as here:
        there.execute("SELECT pg_wal_replay_pause()")
        here.execute("CREATE TABLE grown AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        assert wait_until(lambda: verdict(url).summary.endswith("MiB behind"))
        assert verdict(url).summary.startswith(roles)
        silent = f"127.0.0.1:{nowhere} does not answer."
        assert wait_until(lambda: (verdict(three).error, verdict(three).warning) == ("", silent))
        there.execute("SELECT pg_wal_replay_resume()")
    assert wait_until(lambda: verdict(url).summary == f"{roles}0 KiB behind")
    found = doctor_hosts.judge_replicas(list(doctor_hosts.ask(primary.url)), list(doctor_hosts.ask(three)))
    assert f"127.0.0.1:{standby.port} is a standby, 0 KiB behind" in found.summary
    assert found.error == ""
    assert found.warning == (
        f"127.0.0.1:{primary.port} is no standby: reads from it take nothing off the primary. "
        f"127.0.0.1:{nowhere} does not answer: what it would be asked is read from the primary."
    )

    assert verdict(url_of(standby, nowhere)).error.startswith("No host accepts writes.")
    with psycopg.connect(standby.url, autocommit=True) as there:
        there.execute("SELECT pg_promote(wait => false)")
    both = f"127.0.0.1:{primary.port} and 127.0.0.1:{standby.port} accept writes, so data is divided. "
    assert wait_until(lambda: verdict(url).error == f"{both}Stop all but one at once, and compare them.")
