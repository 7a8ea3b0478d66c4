"""Two machines behind HAProxy, restarted one after the other while people use them and follow live updates."""

import http.client
import signal

from tests.factories.requests import RequestMarket
from tests.factories.servers import free_port
from tests.factories.users import User
from tests.harness.event_stream import EventStream
from tests.scale import haproxy
from tests.scale.follower import Follower
from tests.scale.lab import Lab, get, needs
from tests.scale.load import Load

pytestmark = needs("haproxy")
CALLS = 60  # before, between and after the restarts
STREAMS = 5


def require_streams(url: str, user: User) -> None:
    """Open more streams than one process holds while the proxy sends each to the one with the fewest."""
    streams = [EventStream(url, user.token) for _ in range(STREAMS)]
    for stream in streams:
        stream.close()
    assert [stream.status for stream in streams] == [http.client.OK] * STREAMS


def test_rolling_restart_of_two_machines_fails_no_call_and_hides_no_change(lab: Lab, market: RequestMarket) -> None:
    """Drain until the proxy has noticed, stop, start, and wait until it sends calls again; then the other machine.

    The process of live updates of the machine is restarted with it, and so both streams of a page end.
    """
    machines = [lab.machine(name, DRAIN_SECONDS="600", EVENTS_PORT=str(free_port())) for name in ("one", "two")]
    market.professional()
    for machine in machines:
        machine.changes["WEB_URL"] = machine.url
        machine.start("web")
        machine.start("events")
    proxy = haproxy.start(lab, (machines[0], machines[1]))
    for name in ("events1", "events2"):
        proxy.wait_for(name, "UP")
    customers = [market.users.customer() for _ in range(3)]
    pages = [Follower(proxy.url, customer) for customer in customers[:2]]
    with pages[0], pages[1]:
        with Load(proxy.url, customers, market.task_id) as load:
            for number, machine in enumerate(machines, start=1):
                load.wait_for_calls(CALLS)
                machine.running["web"].send_signal(signal.SIGTERM)
                proxy.wait_for(f"web{number}", "DOWN")
                status, body = get(f"{machine.url}/readyz")
                assert (status, b'"draining"' in body) == (503, True)
                assert get(f"{machine.url}/tasks")[0] == 200  # calls that still come are served
                load.wait_for_calls(CALLS)
                machine.stop("web")  # a second SIGTERM: the operator knows that the proxy has noticed
                require_streams(proxy.url, customers[2])  # also of the process whose web server is away
                machine.stop("events")
                load.wait_for_calls(CALLS)
                proxy.take_back(machine, number)
            load.wait_for_calls(CALLS)
        for page in pages:
            page.require_all_changes()
    for page in pages:
        assert page.streams > 1  # whichever process had the first
    assert load.failed() == []
    assert load.refused() == []
    assert load.lost() == {}
    assert len(load.acknowledged) > 0
