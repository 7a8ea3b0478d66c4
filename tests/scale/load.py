"""Calls of many users at once, with a history: what was answered, and which writes were acknowledged."""

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Final, Self
from urllib.parse import urlsplit

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db.session import db
from tests.factories.users import User
from tests.waiting import HANG_SECONDS, wait_until

READS: Final = ("/requests?limit=20", "/search?pincode=560001&limit=20", "/me", "/notifications?limit=20", "/tasks")
PAUSE_SECONDS: Final = 0.02
NO_RESPONSE: Final = 0
CREATED: Final = 201
STATUSES: Final = text("SELECT id, status FROM task_requests WHERE id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One call of the history; status 0 where no response came."""

    call: str
    status: int
    seconds: float
    body: str
    retry_after: str | None = None
    at: float = field(default_factory=time.monotonic)  # when it was answered


@dataclass
class Load:
    """Users who create, cancel and read until the block ends; a context manager.

    ``keeps``: each of them keeps its connection as long as the server does, else each call has a connection of its own.
    """

    url: str
    customers: Sequence[User]
    task_id: int
    readers: int = 4
    keeps: bool = False
    answers: list[Answer] = field(default_factory=list)
    acknowledged: dict[int, str] = field(default_factory=dict)
    _kept: threading.local = field(default_factory=threading.local)  # the connections of its threads

    def __enter__(self) -> Self:
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(user,)) for user in self.customers]
        self._threads += [
            threading.Thread(target=self._read, args=(self.customers[n % len(self.customers)],))
            for n in range(self.readers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(HANG_SECONDS)
        print("answers:", dict(Counter((answer.call, answer.status) for answer in self.answers)))
        print("figures:", self.figures())

    def wait_for_calls(self, number: int) -> None:
        """Wait until this many more calls were answered, well or not."""
        wanted = len(self.answers) + number
        assert wait_until(lambda: len(self.answers) >= wanted)

    def wait_for_writes(self, number: int) -> None:
        """Wait until this many more writes were acknowledged."""
        wanted = len(self.acknowledged) + number
        assert wait_until(lambda: len(self.acknowledged) >= wanted)

    def failed(self) -> list[Answer]:
        """Return the calls without a response, and those whose response is a server's error."""
        return [answer for answer in self.answers if answer.status == NO_RESPONSE or answer.status >= 500]

    def figures(self) -> str:
        """Return what the documentation quotes; times are in seconds."""
        writes = sorted(answer.at for answer in self.answers if answer.call == "create" and answer.status == CREATED)
        without_write = max((later - earlier for earlier, later in pairwise(writes)), default=0.0)
        longest = max((answer.seconds for answer in self.answers), default=0.0)
        return (
            f"{len(self.answers)} calls, {len(self.failed())} failed, longest {longest:.1f} s; "
            f"{len(self.acknowledged)} writes, none for {without_write:.1f} s"
        )

    def wait_for_successes(self, number: int) -> None:
        """Wait until this many more calls succeeded."""
        first = len(self.answers)
        assert wait_until(lambda: sum(200 <= answer.status < 300 for answer in self.answers[first:]) >= number)

    def refused(self) -> list[Answer]:
        """Return the calls that were answered with a client's error, which none of them is."""
        return [answer for answer in self.answers if 400 <= answer.status < 500]

    def lost(self) -> dict[int, tuple[str, str | None]]:
        """Return the acknowledged writes that the database does not hold: id, acknowledged and actual status."""
        db.session.rollback()
        rows = db.session.execute(STATUSES, {"ids": list(self.acknowledged)}).all()
        held: dict[int, str] = {row[0]: row[1] for row in rows}
        db.session.rollback()
        order = ("requested", "cancelled")
        return {
            request_id: (status, held.get(request_id))
            for request_id, status in self.acknowledged.items()
            if held.get(request_id) not in order[order.index(status) :]
        }

    def _write(self, user: User) -> None:
        with self._connecting():
            self._create_and_cancel(user)

    def _read(self, user: User) -> None:
        with self._connecting():
            while not self._ends.wait(PAUSE_SECONDS):
                self.call(user, "GET", random.choice(READS), call="read")

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        """Give this thread a connection to keep, if it keeps one."""
        self._kept.connection = None
        if not self.keeps:
            yield
            return
        parts = urlsplit(self.url)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=HANG_SECONDS)) as connection:
            self._kept.connection = connection
            yield

    def _create_and_cancel(self, user: User) -> None:
        while not self._ends.wait(PAUSE_SECONDS):
            when = now() + timedelta(days=random.randint(2, 50), minutes=random.randint(0, 1000))
            body = {"task_id": self.task_id, "date_of_request": when.isoformat()}
            made = self.call(user, "POST", "/requests", body, call="create")
            if made.status != CREATED:
                continue
            request_id = json.loads(made.body)["id"]
            self.acknowledged[request_id] = "requested"
            if self._ends.wait(PAUSE_SECONDS):
                return
            ended = self.call(user, "POST", f"/requests/{request_id}/cancel", {"reason": "Plans changed."}, "cancel")
            if ended.status == 200:
                self.acknowledged[request_id] = "cancelled"

    def call(self, user: User, method: str, path: str, body: object = None, call: str = "") -> Answer:
        """Make one call, and keep its answer."""
        headers = {**user.headers, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        content = json.dumps(body).encode() if body is not None else None
        found = send(self.url, method, path, content, headers, call=call, kept=getattr(self._kept, "connection", None))
        self.answers.append(found)
        return found


def send(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    call: str = "",
    seconds: float = HANG_SECONDS,
    kept: http.client.HTTPConnection | None = None,
) -> Answer:
    """Call a server on a kept connection, or one of its own, and return the answer, whatever it is."""
    parts, began = urlsplit(url), time.monotonic()
    connection = kept or http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        status, answer = response.status, response.read().decode(errors="replace")
        retry_after = response.getheader("Retry-After")
    except (OSError, http.client.HTTPException) as error:
        status, answer, retry_after = NO_RESPONSE, repr(error), None
        connection.close()
    if kept is None:
        connection.close()
    return Answer(call, status, time.monotonic() - began, answer, retry_after)
