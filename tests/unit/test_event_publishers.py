"""Processes that publish live updates: which of them have gone without a word."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from typing import Final, Self, cast

import pytest
from redis.asyncio import Redis

from backend.core import valkey
from backend.core.events import protocol
from backend.core.events import publisher as publisher_module
from backend.core.events.protocol import Message
from backend.core.events.publisher import Publisher
from backend.events import changes as changes_module
from backend.events.changes import Changes, Publishers
from backend.settings import Settings
from tests.waiting import HANG_SECONDS

ENVIRON: Final = {
    "DATABASE_URL": "postgresql://nowhere/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "0" * 64,
}


def missing(publishers: Publishers, present: set[str]) -> set[str]:
    """Compare, and return the missing ones when nothing is left unread."""
    publishers.compare(present)
    return publishers.missing()


def test_publisher_that_vanishes_is_missing_once() -> None:
    publishers = Publishers()
    assert missing(publishers, {"a", "b"}) == set()
    assert missing(publishers, {"a"}) == {"b"}
    assert missing(publishers, {"a"}) == set()


def test_publisher_that_lived_between_two_checks_is_missing() -> None:
    publishers = Publishers()
    publishers.note(Message(joined=("short",)))
    assert missing(publishers, set()) == {"short"}


def test_publisher_that_has_left_is_not_missing_though_still_seen_for_a_while() -> None:
    publishers = Publishers()
    missing(publishers, {"a"})
    publishers.note(Message(left=("a",)))
    assert missing(publishers, {"a"}) == set()
    assert missing(publishers, set()) == set()


def test_publisher_that_leaves_while_it_is_checked_is_not_missing(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last message is read only after Valkey has said that it is gone."""
    settings = Settings.from_env({**ENVIRON, "REDIS_URL": f"{valkey_url.rpartition('/')[0]}/9"})
    own = protocol.presence_channel(settings, "other")
    received: list[Message] = []

    async def leave_during_a_check() -> None:
        connect = partial(valkey.async_client, settings.broker_url)
        async with connect() as other, connect() as server, other.pubsub() as presence:
            ask, answers, checked_again = server.pubsub_channels, iter(range(4)), asyncio.Event()
            await presence.subscribe(own)
            while not await ask(own):
                pass

            async def ask_late(pattern: str) -> list[bytes | str]:
                if (answer := next(answers, None)) == 1:
                    await other.publish(protocol.channel(settings), protocol.dump(Message(left=("other",))))
                    await presence.aclose()
                    while await ask(own):
                        pass
                if answer is None:
                    checked_again.set()
                return await ask(pattern)

            monkeypatch.setattr(server, "pubsub_channels", ask_late)
            monkeypatch.setattr(valkey, "async_client", lambda *_, **__: server)
            listening = asyncio.create_task(Changes(settings, receive=received.append, lost=lambda: None).listen())
            await asyncio.wait_for(checked_again.wait(), HANG_SECONDS)
            listening.cancel()

    monkeypatch.setattr(changes_module, "CHECK_SECONDS", 0.01)
    asyncio.run(leave_during_a_check())
    assert received == [Message(left=("other",))]


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


def test_publishers_that_come_back_after_valkey_was_away_are_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When Valkey comes back, this process may be the first to connect again."""
    settings = Settings.from_env(ENVIRON)
    present = iter([[protocol.presence_channel(settings, "a").encode()], []])
    ends = iter([ConnectionError(), asyncio.CancelledError()])

    class Server:
        """Valkey, and the subscription to it, which ends after one check of the publishers."""

        def __init__(self) -> None:
            self.messages = iter([{"type": "subscribe"}])

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        def pubsub(self) -> Self:
            return self

        async def subscribe(self, _channel: str) -> None: ...

        async def ping(self) -> None: ...

        async def get_message(self, **_: float) -> dict[str, str]:
            for message in self.messages:
                return message
            raise next(ends)

        async def pubsub_channels(self, _pattern: str) -> list[bytes]:
            return next(present)

    received: list[Message] = []
    monkeypatch.setattr(valkey, "async_client", lambda *_, **__: Server())
    monkeypatch.setattr(changes_module, "FIRST_PAUSE_SECONDS", 0.0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Changes(settings, receive=received.append, lost=lambda: None).listen())
    assert list(present) == [], "it was connected twice"
    assert received == []


def test_process_that_ends_without_valkey_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "END_SECONDS", 2 * HANG_SECONDS)
    publisher = Publisher(Settings.from_env(ENVIRON))  # its Valkey refuses each connection
    publisher(Message(lost=True))
    ending = threading.Thread(target=publisher.end, daemon=True)
    ending.start()
    ending.join(HANG_SECONDS)
    assert not ending.is_alive()


def test_change_waits_until_valkey_has_what_shows_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    publishing, may_publish, never = threading.Event(), threading.Event(), threading.Event()

    class Server:
        """Valkey, which takes its time."""

        def publish(self, _channel: str, sent: bytes) -> None:
            if protocol.load(sent).joined:
                publishing.set()
                may_publish.wait(HANG_SECONDS)

        def pubsub(self) -> Self:
            return self

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def subscribe(self, _channel: str) -> None: ...

        def listen(self) -> Iterator[dict[str, str]]:
            yield {"type": "subscribe"}
            never.wait()

    monkeypatch.setattr(valkey, "client", lambda *_, **__: Server())
    monkeypatch.setattr(publisher_module, "BEGIN_SECONDS", HANG_SECONDS)
    publisher = Publisher(Settings.from_env(ENVIRON))
    calls = [threading.Thread(target=publisher.begin, daemon=True) for _ in range(2)]
    for call in calls:
        call.start()
    assert publishing.wait(HANG_SECONDS)
    for call in calls:
        call.join(0.2)
    assert [call.is_alive() for call in calls] == [True, True]
    may_publish.set()
    for call in calls:
        call.join(HANG_SECONDS)
    assert [call.is_alive() for call in calls] == [False, False]
