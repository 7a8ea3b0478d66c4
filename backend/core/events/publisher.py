"""Publishes messages of live updates to Valkey, from a thread of its own: no call waits for Valkey."""

import os
import threading
from collections import deque
from multiprocessing.util import Finalize
from time import sleep
from typing import Final

import structlog
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from backend.core import valkey
from backend.core.events import protocol
from backend.core.events.presence import Presence
from backend.core.events.protocol import Message
from backend.settings import Settings

log = structlog.get_logger(__name__)
MAX_QUEUED: Final = 10_000
AT_ONCE: Final = 100
BEGIN_SECONDS: Final = 0.2
END_SECONDS: Final = 5.0  # a busy machine may need seconds; where Valkey refuses, the end waits no longer
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0


class Publisher:
    """Sends the messages of this process in their order. What Valkey does not take is sent once it is back.

    When there are more than MAX_QUEUED the oldest are dropped, and every stream is told that something was lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Condition()
        self._waiting: deque[Message] = deque()
        self._is_sending = False
        self._has_lost = False
        self._is_refused = False
        self._pid = 0
        self._presence: Presence | None = None

    def begin(self) -> None:
        """Show that this process will publish, before the commit of what is announced: it may be killed right after it.

        Calls in the first BEGIN_SECONDS of a process wait for Valkey, until then at most; later ones do nothing.
        """
        if not self._settings.broker_url:
            return
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._begin()
        if self._presence is not None:
            self._presence.wait(BEGIN_SECONDS)

    def __call__(self, message: Message) -> None:
        if not self._settings.broker_url:  # nothing listens, for example while a backup is restored
            return
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            self._put(message)

    def end(self) -> None:
        """Send what waits and say that this process leaves.

        If Valkey refuses it, or does not take it within END_SECONDS, this process counts as killed.
        """
        with self._lock:
            if self._pid != os.getpid() or self._presence is None:
                return
            self._put(Message(left=(self._presence.id,)))
            self._lock.wait_for(lambda: self._is_refused or not (self._waiting or self._is_sending), END_SECONDS)

    def _begin(self) -> None:
        self._waiting.clear()  # threads do not survive a fork, and what waited is the parent's
        self._is_sending = self._is_refused = False
        threading.Thread(target=self._send, name="event-publisher", daemon=True).start()
        self._presence = Presence(self._settings, self)
        self._pid = os.getpid()  # last: begin reads it without the lock
        # Unlike those of atexit, these calls are made in processes of multiprocessing, too, as the web server's are.
        Finalize(None, self.end, exitpriority=0)

    def _put(self, message: Message) -> None:
        if len(self._waiting) >= MAX_QUEUED:
            self._waiting.popleft()
            self._has_lost = True
        self._waiting.append(message)
        self._lock.notify_all()

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
                self._note_sent(message)
            except (RedisError, OSError) as error:
                log.warning("events.not_published", error=repr(error), messages=len(taken))
                self._put_back(taken, has_lost=has_lost)
                sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _next(self) -> tuple[list[Message], bool]:
        with self._lock:
            while not self._waiting:
                self._lock.wait()  # also woken by what was sent
            taken = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            has_lost, self._has_lost = self._has_lost, False
            self._is_sending = True
            return taken, has_lost

    def _note_sent(self, message: Message) -> None:
        if self._presence is not None:
            self._presence.note_sent(message)
        with self._lock:
            self._is_sending = self._is_refused = False
            self._lock.notify_all()

    def _put_back(self, taken: list[Message], *, has_lost: bool) -> None:
        with self._lock:
            room = MAX_QUEUED - len(self._waiting)
            self._has_lost = self._has_lost or has_lost or room < len(taken)
            self._waiting.extendleft(reversed(taken[-room:] if room else []))
            self._is_refused = True
            self._lock.notify_all()
