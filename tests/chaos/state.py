"""What is there at the end: the rows of the database and the mails that arrived."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.message import Message
from typing import Final

import psycopg
from psycopg.rows import class_row

DEAD_JOBS: Final = "SELECT topic || ': ' || coalesce(error, '') FROM jobs WHERE dead_at IS NOT NULL"
OPEN_JOBS: Final = """
    SELECT topic || ' ' || coalesce(key, '') FROM jobs
     WHERE done_at IS NULL AND dead_at IS NULL AND run_at < now() - interval '1 minute'
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A row of task_requests; ``marker`` is the client's own name for it, kept in its remarks."""

    id: int
    marker: str
    status: str
    professional_id: int | None
    date: datetime
    starts: datetime | None
    ends: datetime | None
    price: Decimal
    lines_amount: Decimal
    undecided_lines: int


@dataclass(frozen=True, slots=True)
class Line:
    """A row of price_lines; the amount of a discount is negative."""

    id: int
    request_id: int
    title: str
    state: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Written:
    """A message, photo, event or export of a request, and the text that names it."""

    id: int
    request_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of notifications."""

    id: int
    account_id: int
    kind: str
    request_id: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of deliveries. ``repeated``: attempts of its job that ended before COMMIT."""

    id: int
    kind: str
    channel: str
    state: str
    notification_id: int | None
    message_id: str
    repeated: int

    def repeats(self, mails: Counter[str]) -> int:
        """Return how often its mail arrived again."""
        return max(0, mails[self.message_id] - 1) if self.channel == "mail" else 0


@dataclass
class State:
    """Everything that the checker reads."""

    requests: list[Request] = field(default_factory=list)
    events: list[Written] = field(default_factory=list)
    messages: list[Written] = field(default_factory=list)
    photos: list[Written] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    exports: list[Written] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    dead_jobs: list[str] = field(default_factory=list)
    open_jobs: list[str] = field(default_factory=list)


REQUESTS: Final = """
    SELECT id, coalesce(remarks, '') AS marker, status, professional_id, date_of_request AS date,
           lower(busy) AS starts, upper(busy) AS ends, price,
           coalesce(lines_amount, 0) AS lines_amount, coalesce(undecided_lines, 0) AS undecided_lines
      FROM task_requests
"""
LINES: Final = "SELECT id, request_id, title, state, amount FROM price_lines"
WRITTEN: Final[Mapping[str, str]] = {
    "events": "SELECT id, request_id, action AS name FROM request_events",
    "messages": "SELECT id, request_id, body AS name FROM messages",
    "photos": "SELECT id, request_id, phase AS name FROM request_photos WHERE removed_at IS NULL",
    "exports": "SELECT id, 0 AS request_id, status AS name FROM exports",
}
NOTIFICATIONS: Final = "SELECT id, account_id, kind, request_id FROM notifications"
DELIVERIES: Final = """
    SELECT id, kind, channel, state, notification_id, message_id,
           coalesce((SELECT max(attempts) - 1 FROM jobs
             WHERE topic = 'notification.deliver' AND payload ->> 'delivery_id' = deliveries.id::text), 0) AS repeated
      FROM deliveries
     WHERE NOT (state = 'waiting' AND coalesce(not_before, created_at) > now() - interval '1 minute')
"""


def read(url: str, mails: Iterable[tuple[str, Message]]) -> State:
    """Return the state of a database, and of the mails that a server received."""
    state = State(mails=Counter(str(mail["Message-ID"]) for _, mail in mails))
    with psycopg.connect(url) as connection:
        state.requests = connection.cursor(row_factory=class_row(Request)).execute(REQUESTS).fetchall()
        state.lines = connection.cursor(row_factory=class_row(Line)).execute(LINES).fetchall()
        for name, query in WRITTEN.items():
            found = connection.cursor(row_factory=class_row(Written)).execute(query.encode()).fetchall()
            setattr(state, name, found)
        state.notifications = connection.cursor(row_factory=class_row(Notification)).execute(NOTIFICATIONS).fetchall()
        state.deliveries = connection.cursor(row_factory=class_row(Delivery)).execute(DELIVERIES).fetchall()
        state.dead_jobs = [row[0] for row in connection.execute(DEAD_JOBS).fetchall()]
        state.open_jobs = [row[0] for row in connection.execute(OPEN_JOBS).fetchall()]
    return state
