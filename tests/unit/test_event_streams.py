"""Streams of live updates in one process: what each is sent, how little a slow reader costs, and when streams end."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import pairwise
from typing import Any, ParamSpec

import pytest

from backend.core.events import protocol
from backend.core.events.protocol import Event, Message
from backend.events import streams as streams_module
from backend.events.application import PING_SECONDS, PINGED_AT_ONCE, Application
from backend.events.streams import Access, Limits, Stream, Streams, TooManyStreams
from backend.settings import Settings

NOW = 1_000.0
Given = ParamSpec("Given")


def on_event_loop(test: Callable[Given, Coroutine[Any, Any, None]]) -> Callable[Given, None]:
    """Run a test that awaits something."""

    @wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def access(account_id: int = 1, *, role: str = "customer", session: str = "s1") -> Access:
    return Access(account_id, role, session, expires_at=int(NOW) + 900)


def sent(streams: Streams, stream: Stream) -> list[dict[str, Any]]:
    """Return the events that the stream would send now."""
    lines = streams.take(stream).decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def some(*, in_all: int = 100, per_account: int = 10) -> Streams:
    return Streams(Limits(in_all=in_all, per_account=per_account))


@on_event_loop
async def test_stream_gets_events_of_its_account_and_role_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "ROLE_PAUSE_SECONDS", 0.0)
    streams = some()
    mine, other = streams.open(access(1), now=NOW), streams.open(access(2, role="admin", session="s2"), now=NOW)
    streams.receive(Message((Event("requests", (1,), ("admin",), 7, 3), Event("reports", (3,)))), now=NOW)
    assert sent(streams, mine) == [{"topic": "requests", "id": 7, "version": 3}]
    await asyncio.wait_for(other.wake.wait(), 10)
    assert sent(streams, other) == [{"topic": "requests", "id": 7, "version": 3}]


@on_event_loop
async def test_role_events_of_several_objects_become_one_without_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "ROLE_PAUSE_SECONDS", 0.0)
    streams = some()
    admin = streams.open(access(2, role="admin"), now=NOW)
    for request_id in (7, 8):
        streams.receive(Message((Event("requests", (), ("admin",), request_id, 1),)), now=NOW)
    await asyncio.wait_for(admin.wake.wait(), 10)
    assert sent(streams, admin) == [{"topic": "requests", "id": None, "version": None}]


@on_event_loop
async def test_slow_reader_holds_last_event_of_each_object_then_only_resync() -> None:
    streams = some()
    stream = streams.open(access(), now=NOW)
    for version in range(1, 1_000):
        streams.receive(Message((Event("requests", (1,), (), 7, version),)), now=NOW)
    assert sent(streams, stream) == [{"topic": "requests", "id": 7, "version": 999}]
    for request_id in range(100_000):
        streams.receive(Message((Event("requests", (1,), (), request_id, 1),)), now=NOW)
    assert len(stream.pending) <= streams_module.MAX_PENDING
    assert sent(streams, stream) == [{"topic": "resync", "id": None, "version": None}]


@on_event_loop
async def test_stream_of_session_that_ended_during_its_check_is_refused() -> None:
    streams = some()
    stream = streams.open(access(), now=NOW)
    streams.receive(Message(ended_sessions=("s1",)), now=NOW)
    assert stream.is_ended
    with pytest.raises(PermissionError):
        streams.open(access(), now=NOW)
    streams.open(access(session="s2"), now=NOW)
    streams.receive(Message(), now=NOW + streams_module.REMEMBERED_SECONDS + 1)
    assert not streams._ended_sessions


@on_event_loop
async def test_lost_messages_end_all_streams_at_different_times() -> None:
    streams = some()
    several = [streams.open(access(account), now=NOW) for account in range(20)]
    streams.receive(Message(lost=True), now=NOW)
    assert all(stream.is_ended for stream in several)
    assert len({stream.last_words for stream in several}) > 1


@on_event_loop
async def test_expired_token_ends_stream() -> None:
    streams = some()
    stream = streams.open(Access(1, "customer", "s1", expires_at=int(NOW)), now=NOW - 0.01)
    await asyncio.wait_for(stream.wake.wait(), 10)
    assert stream.is_ended


@on_event_loop
async def test_streams_beyond_either_limit_are_refused_until_one_closes() -> None:
    streams = some(in_all=3, per_account=2)
    first, _ = streams.open(access(1), now=NOW), streams.open(access(1), now=NOW)
    with pytest.raises(TooManyStreams):
        streams.open(access(1), now=NOW)
    streams.open(access(2), now=NOW)
    with pytest.raises(TooManyStreams):
        streams.open(access(3), now=NOW)
    streams.close(first)
    streams.open(access(3), now=NOW)


@on_event_loop
async def test_closed_streams_leave_nothing_behind() -> None:
    streams = some()
    for account in range(50):
        streams.close(streams.open(access(account, session=f"s{account}"), now=NOW))
    assert (len(streams), len(streams._of_account), len(streams._of_session)) == (0, 0, 0)


@on_event_loop
async def test_resumed_stream_starts_with_resync_if_anything_happened() -> None:
    streams = some()
    position = streams.opening("").decode().splitlines()[-2].removeprefix("id: ")
    assert b"resync" not in streams.opening(position)
    streams.receive(Message((Event("requests", (5,)),)), now=NOW)
    assert b"resync" in streams.opening(position)
    assert b"resync" in streams.opening("of another process")


def test_message_survives_its_way() -> None:
    message = Message((Event("requests", (1, 2), ("admin",), 7, 3), Event("jobs", (), ("admin",))), ("s1",), True)
    assert protocol.load(protocol.dump(message)) == message


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"events":[[1]],"ended_sessions":[],"lost":false}'])
def test_unreadable_message_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        protocol.load(text)


def test_channel_differs_for_each_database_of_a_server() -> None:
    channels = {
        protocol.channel(Settings.from_env({"REDIS_URL": f"redis://127.0.0.1:6379/{number}"})) for number in (0, 3)
    }
    assert len(channels) == 2


def ping(streams: Streams, *, now: float) -> None:
    for stream in streams.due_for_ping(now=now, every=15):
        stream.ping()


@on_event_loop
async def test_stream_is_pinged_in_time_by_the_clock_though_rounds_come_late() -> None:
    streams = some()
    opened = [streams.open(access(number, session=str(number)), now=NOW) for number in range(20)]
    ping(streams, now=NOW)
    assert all(stream.take(b"") == b"" for stream in opened), "the stream has just begun"
    for late in (NOW + 15, NOW + 31, NOW + 50):
        ping(streams, now=late)
        assert {stream.take(b"") for stream in opened} == {streams_module.PING}
    ping(streams, now=NOW + 55)
    assert {stream.take(b"") for stream in opened} == {b""}


@on_event_loop
async def test_pings_of_streams_are_spread() -> None:
    streams = some()
    opened = [streams.open(access(number, session=str(number)), now=NOW) for number in range(50)]
    ping(streams, now=NOW)
    assert len({stream.ping_at for stream in opened}) > 10
    assert {NOW <= stream.ping_at < NOW + 15 for stream in opened} == {True}


@on_event_loop
async def test_other_work_is_done_between_a_few_pings() -> None:
    application = Application(Settings.from_env({}))
    opened = [application.streams.open(access(number, session=str(number)), now=NOW) for number in range(95)]
    await application.ping_due(now=NOW)
    pinging = asyncio.ensure_future(application.ping_due(now=NOW + PING_SECONDS))
    pinged = [0]
    while not pinging.done():
        await asyncio.sleep(0)
        pinged.append(sum(stream.ping_due for stream in opened))
    assert pinged[-1] == len(opened)
    assert max(after - before for before, after in pairwise(pinged)) <= PINGED_AT_ONCE
