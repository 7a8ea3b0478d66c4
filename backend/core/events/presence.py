"""Shows to the processes that hold the streams that this one is alive: if it is killed, events may be lost with it."""

import secrets
import socket
import sys
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

import structlog
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from backend.core import valkey
from backend.core.events import protocol
from backend.core.events.protocol import Message
from backend.settings import Settings

log = structlog.get_logger(__name__)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# Nothing is sent on the subscription, so only the kernel can notice, within a minute, that Valkey's host is gone. Until
# then the next leader does not know of this process, and would not miss it. macOS keeps to its two hours.
IDLE_SECONDS, BETWEEN_SECONDS, UNANSWERED = 30, 10, 3
KEEPALIVE: Final = (
    {
        socket.TCP_KEEPIDLE: IDLE_SECONDS,
        socket.TCP_KEEPINTVL: BETWEEN_SECONDS,
        socket.TCP_KEEPCNT: UNANSWERED,
    }
    if sys.platform.startswith("linux")
    else {}
)


class Presence:
    """A subscription to a channel of this process's own, held until the process ends.

    However it ends, its system closes the connection and Valkey forgets the channel. Nothing is ever sent on it, so a
    process that rests costs nothing.
    """

    def __init__(self, settings: Settings, publish: Callable[[Message], None]) -> None:
        self.id: Final = secrets.token_hex(8)
        self._settings = settings
        self._publish = publish
        self._began = monotonic()
        self._shown = threading.Event()
        threading.Thread(target=self._stay, name="event-presence", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until the process has been seen once, or until so many seconds after the presence began."""
        if not self._shown.is_set():
            self._shown.wait(max(0.0, self._began + seconds - monotonic()))

    def note_sent(self, message: Message) -> None:
        """Note that it was seen, if a message that was sent says so: one that only waits would be lost in a kill."""
        if self.id in message.joined:
            self._shown.set()

    def _stay(self) -> None:
        limits = {"socket_connect_timeout": 1, "socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
        server = valkey.client(self._settings.broker_url, retry=Retry(NoBackoff(), 0), **limits)
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                with server.pubsub() as subscription:  # type: ignore[no-untyped-call]  # redis says no more
                    subscription.subscribe(protocol.presence_channel(self._settings, self.id))
                    for message in subscription.listen():
                        if message["type"] == "subscribe":
                            self._publish(Message(joined=(self.id,)))
                            pause = FIRST_PAUSE_SECONDS
            except (RedisError, OSError) as error:
                if pause == FIRST_PAUSE_SECONDS:  # once for each interruption
                    log.warning("events.presence_interrupted", error=repr(error))
            sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
