"""Listens to Valkey for what changed. Without it nothing is known, so streams end and none is opened."""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from time import monotonic
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from backend.core import valkey
from backend.core.events import protocol
from backend.core.events.protocol import Message
from backend.settings import Settings

log = structlog.get_logger(__name__)
CONNECT_SECONDS: Final = 2.0
# A busy machine lets Valkey, or this process, wait for seconds; that would end streams that live. A host that is gone
# without closing its connections is found within this time and CHECK_SECONDS.
SILENCE_SECONDS: Final = 10.0
CHECK_SECONDS: Final = 2.0  # how often it is checked who publishes, and whether Valkey answers
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0


class Publishers:
    """The processes that publish, by what they say of themselves and by the channels that Valkey has of them."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._leaving: set[str] = set()
        self._suspected: set[str] = set()

    def note(self, message: Message) -> None:
        """Note who has joined, and who has left after its last message."""
        left = set(message.left)
        self._known |= set(message.joined)
        self._known -= left
        self._suspected -= left
        self._leaving |= left

    def compare(self, present: AbstractSet[str]) -> None:
        """Suspect those that are gone, though what they sent before may still be unread."""
        self._suspected |= self._known - present
        self._leaving &= present  # one that leaves is there for a moment longer
        self._known = set(present - self._leaving)

    def missing(self) -> set[str]:
        """Return those that were gone when last compared and have not left by all that was sent until then."""
        gone, self._suspected = self._suspected, set()
        return gone


class Changes:
    """The subscription to the installation's channel; ``is_connected`` says whether changes arrive.

    ``tried`` is set once that is known for the first time.
    """

    def __init__(self, settings: Settings, *, receive: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._settings = settings
        self._receive = receive
        self._lost = lost
        self._publishers = Publishers()
        self.is_connected = False
        self.tried = asyncio.Event()

    async def listen(self) -> None:
        """Listen until cancelled; connect again, with pauses, whenever Valkey was away."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._follow()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("events.valkey_unavailable", error=repr(error))
                self.tried.set()
            if self.is_connected:
                self.is_connected = False
                self._lost()
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _follow(self) -> None:
        server = valkey.async_client(
            self._settings.broker_url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        async with server, server.pubsub() as subscription:
            await asyncio.wait_for(subscription.subscribe(protocol.channel(self._settings)), CONNECT_SECONDS)
            # Those known before may not have connected again themselves, and all streams have ended in between.
            self._publishers = Publishers()
            wake_at, is_checking = monotonic(), False
            while True:
                found = await subscription.get_message(timeout=max(0.0, wake_at - monotonic()))
                kind = found["type"] if found is not None else ""
                if kind == "subscribe":
                    self.is_connected = True
                    self.tried.set()
                    log.info("events.subscribed")
                elif kind == "message":
                    self._take(found["data"])
                elif kind == "pong":
                    self.report_killed()
                    wake_at, is_checking = monotonic() + CHECK_SECONDS, False
                elif is_checking and monotonic() >= wake_at:
                    raise TimeoutError
                if not is_checking and monotonic() >= wake_at:
                    await self.check_publishers(server)
                    # Its answer comes after all messages that were sent before: among them, who has left in order.
                    await subscription.ping()
                    wake_at, is_checking = monotonic() + SILENCE_SECONDS, True

    async def check_publishers(self, server: Redis) -> None:
        """Compare which processes publish with those known.

        Raises TimeoutError: a host that is gone closes no connection.
        """
        pattern = protocol.presence_channel(self._settings, "*")
        found = await asyncio.wait_for(server.pubsub_channels(pattern), SILENCE_SECONDS)
        prefix = pattern.removesuffix("*")
        names = {one.decode() if isinstance(one, bytes) else str(one) for one in found}
        self._publishers.compare({name.removeprefix(prefix) for name in names})

    def report_killed(self) -> None:
        """End all streams if a process was killed, once everything has been read that it had sent."""
        if killed := self._publishers.missing():
            # What it announced before its commit may never have been published.
            log.warning("events.publisher_killed", publishers=sorted(killed))
            self._receive(Message(lost=True))

    def _take(self, sent: bytes | str) -> None:
        try:
            message = protocol.load(sent if isinstance(sent, bytes) else sent.encode())
        except ValueError:
            log.warning("events.message_unreadable")
            return
        self._publishers.note(message)
        self._receive(message)
