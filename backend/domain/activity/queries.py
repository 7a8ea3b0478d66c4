"""Read the activity of a request."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.security.authz import Actor
from backend.domain.activity.entries import (
    CONTRIBUTORS,
    Entry,
    Subject,
    reported_conversations,
    unreported_messages,
)
from backend.domain.audit.actions import record, record_read
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.rows import RequestWithContacts

MAKER: Final = text("SELECT firstname, lastname, username FROM accounts WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Activity:
    """Everything that is known of a request at a time, in the order in which it was recorded.

    ``sha256``: the digest of the request and the entries. It stays the same until something else happens.
    """

    row: RequestWithContacts
    entries: list[Entry]
    reported: list[int]
    unreported_messages: int
    read_at: datetime
    sha256: str


def of_request(actor: Actor, *, request_id: int) -> Activity:
    """Return the activity of a request. Raises RequestNotFound."""
    row, _ = requests.one(actor, request_id=request_id)
    subject = Subject(actor, row, reported_conversations(request_id))
    entries = [entry for contribute in CONTRIBUTORS for entry in contribute(subject)]
    entries.sort(key=lambda entry: entry.received_at)
    return Activity(row, entries, subject.reported, unreported_messages(subject), now(), _digest(row, entries))


def maker(actor: Actor) -> str:
    """Return the name of the admin who makes a file, as it is printed in it."""
    firstname, lastname, username = read_pool.one(MAKER, {"id": actor.id})
    return f"{firstname} {lastname} ({username})"


def _digest(row: RequestWithContacts, entries: list[Entry]) -> str:
    """Return the SHA-256 digest of what is shown, as JSON with sorted names."""
    shown = {"request": row.request._asdict(), "entries": [asdict(entry) for entry in entries]}
    return hashlib.sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z, default=str)).hexdigest()


def record_view(actor: Actor, activity: Activity) -> None:
    """Record that an admin read the activity; each reading of messages has an entry of its own."""
    record_read(actor, "activity_viewed", subject_id=activity.row.request.id, subject_kind="request")
    _record_messages(actor, activity)


def record_evidence(actor: Actor, activity: Activity) -> None:
    """Record that an admin made a PDF of the activity, with the digest that is printed in it."""
    after = {"sha256": activity.sha256, "entries": len(activity.entries)}
    record(actor, "evidence_made", subject_id=activity.row.request.id, subject_kind="request", after=after)
    _record_messages(actor, activity)


def _record_messages(actor: Actor, activity: Activity) -> None:
    for professional_id in activity.reported:
        about: dict[str, object] = {"professional_id": professional_id}
        record(actor, "conversation_viewed", subject_id=activity.row.request.id, subject_kind="request", after=about)
