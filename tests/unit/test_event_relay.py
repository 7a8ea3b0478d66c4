"""Threads for streams come on top of those for calls, and calls may not use them."""

import threading
from collections.abc import Iterable
from typing import Any

from backend.api.event_relay import CallLimit, threads_for_streams
from backend.settings import Settings
from tests.waiting import HANG_SECONDS, wait_until


def start_response(*_: object) -> Any:
    """Take no note of the head of a response."""


def test_call_limit_counts_calls_but_not_open_responses() -> None:
    release = threading.Event()
    running: list[str] = []

    def application(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        running.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/slow":
            release.wait(HANG_SECONDS)
        return iter([b"a stream that stays open"])

    limited = CallLimit(application, most=2)
    open_streams = [limited({"PATH_INFO": "/events"}, start_response) for _ in range(10)]
    assert len(open_streams) == 10
    calls = [
        threading.Thread(target=limited, args=({"PATH_INFO": "/slow"}, start_response), daemon=True) for _ in range(3)
    ]
    for call in calls:
        call.start()
    assert wait_until(lambda: running.count("/slow") == 2)
    calls[-1].join(0.2)
    assert running.count("/slow") == 2, "the third waits for one of the two"
    release.set()
    assert wait_until(lambda: running.count("/slow") == 3)


def test_web_server_has_threads_for_streams_only_where_it_can_reach_their_process() -> None:
    assert threads_for_streams(Settings.from_env({})) == 0
    assert threads_for_streams(Settings.from_env({"EVENTS_PORT": "5001"})) == 32
    assert threads_for_streams(Settings.from_env({"EVENTS_URL": "http://events:5001", "EVENTS_RELAYED": "4"})) == 4
