"""Valkey stops behind two machines: the proxy keeps sending calls, and every call is answered as before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.launch.embedded import EmbeddedValkey
from tests.factories.requests import RequestMarket
from tests.scale import haproxy
from tests.scale.lab import Lab, Machine, get, needs
from tests.scale.load import Load
from tests.waiting import wait_until

pytestmark = needs("haproxy")
CALLS = 60  # before, without and after Valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """Return a Valkey of this test's own, which it may stop."""
    server = EmbeddedValkey(tmp_path)
    server.start()
    yield server
    server.stop()


def reports(machine: Machine, state: str) -> bool:
    status, body = get(f"{machine.url}/readyz")
    return status == 200 and f'"status":"{state}"' in body.decode().replace(" ", "")


def cache_is(machine: Machine, state: str) -> bool:
    return f'"cache":{{"state":"{state}"' in get(f"{machine.url}/readyz")[1].decode().replace(" ", "")


def test_market_stays_behind_the_proxy_while_valkey_is_stopped(
    lab: Lab, market: RequestMarket, valkey: EmbeddedValkey
) -> None:
    machines = (lab.machine("one", REDIS_URL=valkey.url), lab.machine("two", REDIS_URL=valkey.url))
    market.professional()
    for machine in machines:
        machine.start("web")
    proxy = haproxy.start(lab, machines)
    with Load(proxy.url, [market.users.customer() for _ in range(3)], market.task_id) as load:
        load.wait_for_calls(CALLS)
        valkey.stop()
        assert wait_until(lambda: all(cache_is(machine, "down") for machine in machines))
        assert wait_until(lambda: all(reports(machine, "degraded") for machine in machines))
        load.wait_for_calls(CALLS)
        for name in ("web1", "web2"):
            proxy.wait_for(name, "UP")
        valkey.start()
        assert wait_until(lambda: all(cache_is(machine, "up") for machine in machines))
        load.wait_for_calls(CALLS)
    assert load.failed() == []
    assert load.refused() == []
    assert load.lost() == {}
    assert len(load.acknowledged) > 0
