"""A web process killed between the commit of a change and the event about it: open pages read again within seconds."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import requests

from backend.launch.embedded import EmbeddedValkey
from backend.launch.private_files import free_port
from tests.factories.users import User, Users
from tests.faults.web import Web, immortal_server, running, web_server
from tests.harness.event_stream import EventStream
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults
FAILPOINT: Final = "events.before_publishing"
KILLED: Final = re.compile(r"events\.publisher_killed.*publishers=\[(.*?)\]")


@dataclass
class LiveUpdates:
    """A process that holds streams, and what it logs."""

    url: str
    log: Path
    opened: ExitStack

    def open(self, who: User, *, last_event_id: str = "") -> EventStream:
        """Open a stream, and wait until nothing is missed on it."""
        stream = EventStream(self.url, who.token, last_event_id=last_event_id)
        self.opened.callback(stream.close)
        return stream.wait_until_open()

    def is_open(self) -> bool:
        return "events.subscribed" in self.log.read_text()

    def killed(self) -> list[str]:
        """Return the processes that it found killed: an entry for each time, with all that it found at once."""
        return KILLED.findall(self.log.read_text())


@pytest.fixture
def sent(environ: dict[str, str], own_valkey: EmbeddedValkey) -> dict[str, str]:
    """Return the settings of all processes: no other test publishes to their Valkey."""
    return {**environ, "REDIS_URL": own_valkey.url, "LOG_FORMAT": "text", "LOG_LEVEL": "info"}


@pytest.fixture
def mortal(sent: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """Start a web server that dies before it publishes its first event, and is followed by another."""
    folder = tmp_path / "mortal"
    folder.mkdir()
    with immortal_server({**sent, "CRASH_AT": FAILPOINT}, folder) as web:
        yield web


@pytest.fixture
def live(sent: dict[str, str], mortal: Web, tmp_path: Path) -> Iterator[LiveUpdates]:
    """Start the process of live updates, which has tokens checked by the mortal web server."""
    folder, log, port = tmp_path / "events", tmp_path / "events.log", free_port(None)
    folder.mkdir()
    changes = {"EVENTS_PORT": str(port), "WEB_URL": mortal.url, "DATA_DIR": str(folder)}
    found = LiveUpdates(f"http://127.0.0.1:{port}", log, ExitStack())
    with running(log, {**os.environ, **sent, **changes}, "-m", "backend.events"), found.opened:
        assert wait_until(found.is_open), log.read_text()
        yield found


def read_all(web: Web, who: User) -> int:
    """Mark all notifications as read, which is announced, and return the status."""
    with requests.Session() as http:
        http.trust_env = False
        url = f"{web.url}/notifications/read"
        return http.post(url, json={"all": True}, headers=who.headers, timeout=HANG_SECONDS).status_code


def test_event_lost_with_its_process_is_made_up_for(
    mortal: Web, live: LiveUpdates, sent: dict[str, str], users: Users, tmp_path: Path
) -> None:
    customer = users.customer()
    stream = live.open(customer)
    with web_server(sent, tmp_path) as other:
        assert read_all(other, customer) == 200
        stream.wait_for("notifications")
        other.process.terminate()
        assert other.process.wait(HANG_SECONDS) == 0
    assert not stream.ended.is_set(), "a process that is asked to end says so"
    with pytest.raises(requests.ConnectionError):
        read_all(mortal, customer)
    assert (tmp_path / "mortal" / f"crashed-{FAILPOINT}").exists()
    assert stream.ended.wait(HANG_SECONDS)
    assert len(live.killed()) == 1
    assert "," not in live.killed()[0], "only the killed process is missing"
    again = live.open(customer, last_event_id=stream.last_id)
    assert again.topics() == {"resync"}
