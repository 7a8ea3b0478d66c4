"""A page that follows live updates: it comes back by itself, and reads again what events name."""

import http.client
import json
import threading
import time
from typing import Final, Self

from sqlalchemy import text

from backend.core.db.session import db
from tests.factories.users import User
from tests.harness.event_stream import EventStream
from tests.scale.load import NO_RESPONSE, send
from tests.waiting import HANG_SECONDS, wait_until

OWN: Final = text("SELECT id, status FROM task_requests WHERE customer_id = :id")
RESYNC: Final = "resync"
FIRST_WAIT_SECONDS: Final = 1.0  # as in frontend/src/shared/live/connection.ts


class Follower:
    """A customer whose page shows the state of all own requests; a context manager.

    It sees a change by its event, or reads everything again after ``resync``: what neither names stays old for good,
    as there is no polling.
    """

    def __init__(self, url: str, user: User) -> None:
        self.shown: dict[int, str] = {}
        self.streams = 0
        self.resyncs = 0
        self.refused: list[int] = []  # statuses of attempts that opened no stream
        self.failed_reads: list[int] = []
        self.longest_pause = 0.0  # seconds without a stream
        self._url, self._user = url, user
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._stream: EventStream | None = None
        self._retry_after = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_for_streams(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        if self._stream is not None:
            self._stream.close()
        self._thread.join(HANG_SECONDS)
        print(f"live updates: {self.streams} streams, {self.resyncs} times everything again,", end=" ")
        print(f"attempts refused {self.refused}, longest without a stream {self.longest_pause:.1f} s")

    def wait_for_streams(self, number: int) -> None:
        """Wait until this many streams were opened in all."""
        assert wait_until(lambda: self.streams >= number), (self.streams, self.refused)

    def require_all_changes(self) -> None:
        """Wait until the page shows what the database holds, once nobody writes any more.

        Each attempt must have opened a stream, so that a page is without one only while it waits as it was told to.
        """
        db.session.rollback()
        wanted = {row.id: row.status for row in db.session.execute(OWN, {"id": self._user.id})}
        db.session.rollback()
        assert wanted
        assert wait_until(lambda: self.shown == wanted), wanted.items() ^ self.shown.items()
        assert (self.refused, self.failed_reads) == ([], [])

    def _follow(self) -> None:
        last_id, ended_at, failures = "", time.monotonic(), 0
        while not self._ends.is_set():
            stream = self._open(last_id)
            if stream is None:
                failures += 1
                self._ends.wait(max(FIRST_WAIT_SECONDS * 2 ** (failures - 1), self._retry_after))
                continue
            if self.streams:
                self.longest_pause = max(self.longest_pause, time.monotonic() - ended_at)
            self.streams, failures = self.streams + 1, 0
            if self._ends.is_set():  # since it was asked for
                stream.close()
            stream.ended.wait()
            last_id, ended_at = stream.last_id or last_id, time.monotonic()
            stream.close()
            self._ends.wait(stream.retry / 1000)

    def _open(self, last_id: str) -> EventStream | None:
        """Return an open stream, or None after a refusal."""
        self._retry_after = 0.0
        try:
            stream = EventStream(self._url, self._user.token, last_event_id=last_id, hear=self._hear)
        except (OSError, http.client.HTTPException):
            self.refused.append(NO_RESPONSE)
            return None
        self._stream = stream
        if stream.status == http.client.OK:
            return stream
        self.refused.append(stream.status)
        self._retry_after = float(stream.headers.get("Retry-After", 0))
        stream.close()
        return None

    def _hear(self, event: dict[str, object]) -> None:
        if event["topic"] == RESYNC:
            self.resyncs += 1
            self._read_all()
        elif event["topic"] == "requests":
            self._read(f"/requests/{event['id']}")

    def _read_all(self) -> None:
        page = self._read("/requests?limit=100")
        while cursor := page.get("next_cursor"):
            page = self._read(f"/requests?limit=100&cursor={cursor}")

    def _read(self, path: str) -> dict[str, object]:
        """Read one request or a page of them, and show what was read."""
        answer = send(self._url, "GET", path, headers=self._user.headers)
        if answer.status != http.client.OK:
            self.failed_reads.append(answer.status)
            return {}
        found: dict[str, object] = json.loads(answer.body)
        rows = found.get("items", [found])
        assert isinstance(rows, list)
        self.shown |= {row["id"]: row["status"] for row in rows}
        return found
