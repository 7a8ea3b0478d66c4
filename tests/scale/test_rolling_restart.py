"""Two web machines behind HAProxy, restarted one after the other while people use them."""

import signal

from tests.factories.requests import RequestMarket
from tests.scale import haproxy
from tests.scale.lab import Lab, get, needs
from tests.scale.load import Load

pytestmark = needs("haproxy")
CALLS = 60  # before, between and after the restarts


def test_rolling_restart_of_two_machines_fails_no_call(lab: Lab, market: RequestMarket) -> None:
    """Drain until the proxy has noticed, stop, start, and wait until it sends calls again; then the other machine."""
    machines = (lab.machine("one", DRAIN_SECONDS="600"), lab.machine("two", DRAIN_SECONDS="600"))
    market.professional()
    for machine in machines:
        machine.start("web")
    proxy = haproxy.start(lab, machines)
    with Load(proxy.url, [market.users.customer() for _ in range(3)], market.task_id) as load:
        for machine, name in zip(machines, ("web1", "web2"), strict=True):
            load.wait_for_calls(CALLS)
            machine.running["web"].send_signal(signal.SIGTERM)
            proxy.wait_for(name, "DOWN")
            status, body = get(f"{machine.url}/readyz")
            assert (status, b'"draining"' in body) == (503, True)
            assert get(f"{machine.url}/tasks")[0] == 200  # calls that still come are served
            load.wait_for_calls(CALLS)
            machine.stop("web")  # a second SIGTERM: the operator knows that the proxy has noticed
            load.wait_for_calls(CALLS)
            machine.start("web")
            proxy.wait_for(name, "UP")
        load.wait_for_calls(CALLS)
    assert load.failed() == []
    assert load.refused() == []
    assert load.lost() == {}
    assert len(load.acknowledged) > 0
