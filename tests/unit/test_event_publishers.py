"""Processes that publish live updates: which of them have gone without a word."""

import asyncio
from typing import Final, cast

import pytest
from redis.asyncio import Redis

from backend.core.events import protocol
from backend.core.events.protocol import Message
from backend.events import changes as changes_module
from backend.events.changes import Changes, Publishers
from backend.settings import Settings

ENVIRON: Final = {
    "DATABASE_URL": "postgresql://nowhere/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "0" * 64,
}


def test_publisher_that_vanishes_is_missing_once() -> None:
    publishers = Publishers()
    assert publishers.missing({"a", "b"}) == set()
    assert publishers.missing({"a"}) == {"b"}
    assert publishers.missing({"a"}) == set()


def test_publisher_that_lived_between_two_checks_is_missing() -> None:
    publishers = Publishers()
    publishers.note(Message(joined=("short",)))
    assert publishers.missing(set()) == {"short"}


def test_publisher_that_has_left_is_not_missing_though_still_seen_for_a_while() -> None:
    publishers = Publishers()
    publishers.missing({"a"})
    publishers.note(Message(left=("a",)))
    assert publishers.missing({"a"}) == set()
    assert publishers.missing(set()) == set()


def test_message_keeps_who_joined_and_left_and_reads_those_of_the_version_before() -> None:
    message = Message(lost=True, joined=("a",), left=("b", "c"))
    assert protocol.load(protocol.dump(message)) == message
    assert protocol.joined([message, Message(left=("d",))]).left == ("b", "c", "d")
    assert protocol.load(b'{"events": [], "ended_sessions": [], "lost": false}') == Message()


def test_answer_that_takes_longer_than_a_connection_may_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowServer:
        async def pubsub_channels(self, _pattern: str) -> list[bytes]:
            await asyncio.sleep(0.05)
            return []

    lost: list[Message] = []
    changes = Changes(Settings.from_env(ENVIRON), receive=lost.append, lost=lambda: None)
    monkeypatch.setattr(changes_module, "CONNECT_SECONDS", 0.001)
    asyncio.run(changes.check_publishers(cast("Redis", SlowServer())))
    assert lost == []
