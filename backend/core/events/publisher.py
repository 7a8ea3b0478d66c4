"""Publishes messages of live updates to Valkey, from a thread of its own: no call waits for Valkey."""

import os
import threading
from collections import deque
from time import sleep
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
MAX_QUEUED: Final = 10_000
AT_ONCE: Final = 100
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0


class Publisher:
    """Sends the messages of this process in their order. What Valkey does not take is sent once it is back.

    When there are more than MAX_QUEUED the oldest are dropped, and every stream is told that something was lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Condition()
        self._waiting: deque[Message] = deque()
        self._has_lost = False
        self._pid = 0

    def __call__(self, message: Message) -> None:
        if not self._settings.broker_url:  # nothing listens, for example while a backup is restored
            return
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            if len(self._waiting) >= MAX_QUEUED:
                self._waiting.popleft()
                self._has_lost = True
            self._waiting.append(message)
            self._lock.notify()

    def _begin(self) -> None:
        self._pid = os.getpid()  # threads do not survive a fork
        self._waiting.clear()
        threading.Thread(target=self._send, name="event-publisher", daemon=True).start()

    def _send(self) -> None:
        limits = {"socket_timeout": 1, "socket_connect_timeout": 1}
        server = valkey.client(self._settings.broker_url, retry=Retry(NoBackoff(), 0), **limits)
        channel = protocol.channel(self._settings)
        pause = FIRST_PAUSE_SECONDS
        while True:
            taken, has_lost = self._next()
            message = protocol.joined([*taken, Message(lost=has_lost)])
            try:
                server.publish(channel, protocol.dump(message))
                pause = FIRST_PAUSE_SECONDS
            except (RedisError, OSError) as error:
                log.warning("events.not_published", error=repr(error), messages=len(taken))
                self._put_back(taken, has_lost=has_lost)
                sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _next(self) -> tuple[list[Message], bool]:
        with self._lock:
            while not self._waiting:
                self._lock.wait()
            taken = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            has_lost, self._has_lost = self._has_lost, False
            return taken, has_lost

    def _put_back(self, taken: list[Message], *, has_lost: bool) -> None:
        with self._lock:
            room = MAX_QUEUED - len(self._waiting)
            self._has_lost = self._has_lost or has_lost or room < len(taken)
            self._waiting.extendleft(reversed(taken[-room:] if room else []))
