"""Listens to Valkey for what changed. Without it nothing is known, so streams end and none is opened."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from backend.core import valkey
from backend.core.events import protocol
from backend.core.events.protocol import Message
from backend.settings import Settings

log = structlog.get_logger(__name__)
CONNECT_SECONDS: Final = 2.0
SILENCE_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0


class Changes:
    """The subscription to the installation's channel; ``is_connected`` says whether changes arrive."""

    def __init__(self, settings: Settings, *, receive: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._settings = settings
        self._receive = receive
        self._lost = lost
        self.is_connected = False

    async def listen(self) -> None:
        """Listen until cancelled; connect again, with pauses, whenever Valkey was away."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._follow()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("events.valkey_unavailable", error=repr(error))
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
            while True:
                found = await subscription.get_message(timeout=SILENCE_SECONDS)
                if found is None:  # a host that is gone closes no connection
                    await asyncio.wait_for(server.ping(), CONNECT_SECONDS)
                elif found["type"] == "subscribe":
                    self.is_connected = True
                    log.info("events.subscribed")
                elif found["type"] == "message":
                    self._take(found["data"])

    def _take(self, sent: bytes | str) -> None:
        try:
            message = protocol.load(sent if isinstance(sent, bytes) else sent.encode())
        except ValueError:
            log.warning("events.message_unreadable")
            return
        self._receive(message)
