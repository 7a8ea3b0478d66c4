"""A reader of one stream of live updates, in a thread of its own."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

from tests.harness.market import wait_for
from tests.waiting import HANG_SECONDS


class EventStream:
    """The events that arrive on a stream, until it ends.

    ``hear`` is called with each of them, in the thread that reads.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        last_event_id: str = "",
        hear: Callable[[dict[str, object]], object] | None = None,
    ) -> None:
        sent = {"Authorization": f"Bearer {token}" if token else "", "Last-Event-ID": last_event_id}
        self._http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=HANG_SECONDS)
        self._http.request("GET", "/events", headers={name: value for name, value in sent.items() if value})
        self._socket = self._http.sock
        self._response = self._http.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers
        self.events: list[dict[str, Any]] = []
        self._hear = hear or self.events.append
        self.last_id = ""
        self.retry = 0
        self.ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self._reader.start()

    def problem(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._response.read())
        return found

    def topics(self) -> set[str]:
        return {event["topic"] for event in self.events}

    def wait_for(self, topic: str) -> dict[str, Any]:
        """Wait for an event of the topic and return it."""
        found: dict[str, Any] = wait_for(lambda: [one for one in self.events if one["topic"] == topic])[-1]
        return found

    def wait_until_open(self) -> Self:
        """Wait for the beginning, after which nothing is missed."""
        wait_for(lambda: self.last_id)
        return self

    def close(self) -> None:
        """End the connection, also while the thread waits for its next line."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._reader.is_alive():
            self._reader.join(HANG_SECONDS)
        self._response.close()
        self._socket.close()

    def _read(self) -> None:
        try:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                while line := self._response.readline():
                    self._take(line.decode().rstrip("\n"))
        finally:
            self.ended.set()

    def _take(self, line: str) -> None:
        name, _, value = line.partition(": ")
        if name == "data":
            self._hear(json.loads(value))
        elif name == "id":
            self.last_id = value
        elif name == "retry":
            self.retry = int(value)
