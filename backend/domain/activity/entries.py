"""What happened around one request: entries that each part of the marketplace contributes.

A new part adds a function to `CONTRIBUTORS`; the view, its digest and the PDF follow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from backend.core.db import read_pool
from backend.core.security.authz import Actor
from backend.domain.conversations import access as conversations
from backend.domain.reviews import queries as reviews
from backend.domain.task_requests import history
from backend.domain.task_requests.lifecycle import Relation
from backend.domain.task_requests.rows import RequestWithContacts

MOST: Final = 1000  # of each part: what a request has of it is far less
MESSAGES: Final = text("""
    SELECT m.created_at, m.author_id, m.author_role, m.body, m.masked, photo.sha256
      FROM messages m LEFT JOIN request_photos photo ON photo.message_id = m.id
     WHERE m.request_id = :request_id AND m.professional_id = ANY (:professional_ids)
     ORDER BY m.id LIMIT :most
""")
UNREPORTED: Final = text("""
    SELECT count(*) FROM messages WHERE request_id = :request_id AND professional_id <> ALL (:professional_ids)
""")
# By the index of each side's deliveries since the request was created.
DELIVERIES: Final = text("""
    SELECT d.created_at, d.sent_at, d.account_id, d.kind, d.channel, d.state
      FROM deliveries d
     WHERE d.account_id = ANY (:account_ids) AND d.created_at >= :since AND d.request_id = :request_id
     ORDER BY d.id LIMIT :most
""")
CLOCKS_DIFFER: Final = timedelta(minutes=5)  # between machines, each of which writes its own time
REPORTED_AT: Final = "reported_at"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``at``: when, by the word of who reported it; ``received_at``: when it was recorded.

    ``source`` names the part that contributes it. ``details`` are values of it by name.
    """

    source: str
    action: str
    at: datetime
    received_at: datetime
    actor_id: int | None = None
    actor_role: str | None = None
    note: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """The request that is read, by whom, and whose conversations about it they may read."""

    actor: Actor
    row: RequestWithContacts
    reported: list[int]


Contributor = Callable[[Subject], Iterator[Entry]]


def from_history(subject: Subject) -> Iterator[Entry]:
    """Return the history: changes of state, the visit, photos with their digests, price lines with amounts."""
    for event in history.read(subject.actor, Relation.ADMIN, subject.row.request):
        received_at = _time(event["at"])
        changes = event["changes"]
        details = dict(changes) if isinstance(changes, Mapping) else {}
        reported_at = details.pop(REPORTED_AT, None)
        if event["from"] != event["to"]:
            details["status"] = event["to"]
        yield Entry(
            source="history",
            action=str(event["action"]),
            at=received_at if reported_at is None else datetime.fromisoformat(str(reported_at)),
            received_at=received_at,
            actor_id=_number(event["actor_id"]),
            actor_role=str(event["actor_role"]),
            note=None if event["note"] is None else str(event["note"]),
            details=details,
        )


def from_messages(subject: Subject) -> Iterator[Entry]:
    """Return the messages of reported conversations."""
    if not subject.reported:
        return
    values = {"request_id": subject.row.request.id, "professional_ids": subject.reported, "most": MOST}
    for at, author_id, author_role, body, masked, sha256 in read_pool.rows(MESSAGES, values):
        details = {"masked": True} if masked else {}
        if sha256 is not None:
            details["sha256"] = sha256
        yield Entry("messages", "write", at, at, author_id, author_role, body, details)


def from_deliveries(subject: Subject) -> Iterator[Entry]:
    """Return the messages that were sent to both sides about the request."""
    request = subject.row.request
    sides = [one for one in (request.customer_id, request.professional_id) if one is not None]
    since = request.created_at - CLOCKS_DIFFER
    values = {"account_ids": sides, "since": since, "request_id": request.id, "most": MOST}
    for created_at, sent_at, account_id, kind, channel, state in read_pool.rows(DELIVERIES, values):
        role = "customer" if account_id == request.customer_id else "professional"
        details = {"kind": kind, "channel": channel, "state": state}
        if sent_at is not None:
            details["sent_at"] = sent_at.isoformat()
        yield Entry("deliveries", "notify", created_at, created_at, account_id, role, None, details)


def from_reply(subject: Subject) -> Iterator[Entry]:
    """Return the professional's reply to the review. Rating and comment are in the history."""
    request = subject.row.request
    found = reviews.of_request(subject.actor, request_id=request.id) if request.reviewed_at else None
    if found is None or found["reply"] is None:
        return
    at = _time(found["replied_at"])
    yield Entry("reviews", "reply", at, at, request.professional_id, "professional", str(found["reply"]))


CONTRIBUTORS: Final[tuple[Contributor, ...]] = (from_history, from_messages, from_deliveries, from_reply)


def unreported_messages(subject: Subject) -> int:
    """Return how many messages about the request stay closed to admins, as nobody has reported them."""
    values = {"request_id": subject.row.request.id, "professional_ids": subject.reported}
    [number] = read_pool.one(UNREPORTED, values)
    return int(number)


def reported_conversations(request_id: int) -> list[int]:
    """Return the professionals whose conversations about the request were reported."""
    row = read_pool.one_or_none(conversations.statement(locks=False), {"request_id": request_id})
    return [] if row is None else list(conversations.Facts._make(row).reported)


def _time(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("not a time")
    return value


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
