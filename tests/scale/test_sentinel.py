"""Cache, rate limits, queue and live updates while the Valkey server that leads is killed or follows another."""

import json
from typing import Final

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from tests.factories.requests import RequestMarket
from tests.factories.servers import free_port
from tests.factories.users import User
from tests.harness.event_stream import EventStream
from tests.scale import haproxy
from tests.scale.lab import Lab, Machine, get, needs
from tests.scale.load import Load
from tests.scale.sentinels import Sentinels
from tests.waiting import HANG_SECONDS, wait_until

CALLS: Final = 40
CACHE, LIMITS = 1, 2  # databases
WAITING: Final = text("SELECT count(*) FROM jobs WHERE done_at IS NULL AND run_at < now()")
DELIVERED: Final = text("SELECT count(*) FROM deliveries WHERE state = 'sent'")


def number(query: object) -> int:
    db.session.rollback()
    return int(db.session.execute(query).scalar_one())  # type: ignore[call-overload]  # one of the two above


def address(lab: Lab, servers: Sentinels, way: str) -> str:
    """Return REDIS_URL: of the Sentinels, or of a proxy that follows them."""
    return servers.url if way == "setting" else haproxy.start_for_valkey(lab, servers)


def state(machine: Machine) -> tuple[int, str]:
    """Return status and state at /readyz."""
    status, body = get(f"{machine.url}/readyz")
    return status, json.loads(body)["status"] if body else ""


def is_ready(machine: Machine, seen: list[tuple[int, str]]) -> bool:
    """Return whether all parts of a machine work, and note its state."""
    seen.append(state(machine))
    return seen[-1] == (200, "ready")


def open_stream(url: str, user: User) -> EventStream:
    """Open a stream as soon as one is to be had: none is opened while the process hears of no changes."""
    found: list[EventStream] = []

    def is_open() -> bool:
        stream = EventStream(url, user.headers["Authorization"].removeprefix("Bearer "))
        if stream.status == 200:
            found.append(stream)
        else:
            stream.problem()
            stream.close()
        return bool(found)

    assert wait_until(is_open)
    return found[0].wait_until_open()


@pytest.mark.parametrize("way", ["setting", pytest.param("proxy", marks=[needs("haproxy"), pytest.mark.long])])
def test_calls_jobs_and_streams_go_on_when_another_server_leads(lab: Lab, market: RequestMarket, way: str) -> None:
    servers = Sentinels(lab)
    events = free_port()
    one = lab.machine(
        "one", REDIS_URL=address(lab, servers, way), EVENTS_PORT=str(events), MAIL_TO_FILES="yes", CACHE_SECONDS="1"
    )
    one.changes["WEB_URL"] = one.url
    for kind in ("web", "events", "beat", "worker"):
        one.start(kind)
    customers = [market.users.customer() for _ in range(2)]
    market.professional()
    assert wait_until(lambda: state(one) == (200, "ready")), get(f"{one.url}/readyz")
    stream = open_stream(f"http://127.0.0.1:{events}", customers[0])
    seen: list[tuple[int, str]] = []
    with Load(one.url, customers, market.task_id, readers=1) as load:
        for change in (servers.kill_leader, servers.hand_over):
            load.wait_for_calls(CALLS)
            old = change()
            load.wait_for_calls(CALLS)
            new = servers.wait_for_other_leader(old)
            assert wait_until(lambda: is_ready(one, seen))
            servers.server(new).flushall()
            assert wait_until(lambda: all(servers.server(new, base).dbsize() > 0 for base in (CACHE, LIMITS)))  # noqa: B023  # called in the same round
            assert stream.ended.wait(HANG_SECONDS)  # the page opens another, and reads again what it missed
            stream.close()
            stream = open_stream(f"http://127.0.0.1:{events}", customers[0])
            stream.wait_for("requests")
            if change == servers.kill_leader:
                servers.start_server(old)
    stream.close()
    assert {status for status, _ in seen} == {200}
    assert load.failed() == []
    assert load.refused() == []
    assert load.lost() == {}
    assert wait_until(lambda: number(WAITING) == 0)
    assert number(DELIVERED) > 0
    for kind, process in one.running.items():
        assert process.poll() is None, kind
