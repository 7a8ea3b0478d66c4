"""Who may read and write which conversation, and when: every rule in one place.

A conversation belongs to one request and one professional. It is open while the professional is asked for by id, or has
accepted, until seven days after the end of the request. Professionals who are no longer on the request can read
their own conversation. Admins can read a conversation that is reported.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.conversations.errors import no_such_conversation, which_conversation
from backend.domain.photos.errors import PhotoNotFound
from backend.domain.photos.queries import Photo
from backend.domain.task_requests.errors import RequestNotFound
from backend.domain.task_requests.lifecycle import Status

OPEN_AFTER_END: Final = timedelta(days=7)
FACTS: Final = """
SELECT r.id, r.task_name, r.customer_id, r.professional_id, r.asked_professional_id, r.asked_until, r.status,
       r.accepted_at, coalesce(r.closed_at, r.cancelled_at, r.expired_at, r.completed_at) AS ended_at,
       EXISTS (SELECT FROM market_settings s WHERE s.name = 'contact' AND s.value = '"masked"') AS contact_is_masked,
       ARRAY(SELECT c.professional_id FROM conversations c WHERE c.request_id = r.id ORDER BY 1) AS begun,
       ARRAY(SELECT DISTINCT o.professional_id FROM conversation_reports o
              WHERE o.request_id = r.id AND o.settled_at IS NULL ORDER BY 1) AS reported
  FROM task_requests r
 WHERE r.id = :request_id
"""


class Facts(NamedTuple):
    """What the rules read of a request.

    ``begun``: the professionals with whom there are messages. ``reported``: those of reports that are not settled.
    """

    request_id: int
    task_name: str
    customer_id: int
    professional_id: int | None
    asked_professional_id: int | None
    asked_until: datetime | None
    status: str
    accepted_at: datetime | None
    ended_at: datetime | None
    contact_is_masked: bool
    begun: list[int]
    reported: list[int]


def read(actor: Actor, *, request_id: int) -> Facts:
    """Return the facts of a request on which the actor has, or may begin, a conversation.

    Raises:
        RequestNotFound: There is no such request, or the actor has no conversation about it.
    """
    return _checked(actor, read_pool.one_or_none(statement(locks=False), {"request_id": request_id}))


def lock(actor: Actor, *, request_id: int) -> Facts:
    """Return the facts as `read` does, and keep the request from being changed until the transaction ends.

    A release, or the end of the request, either waits for the message or is seen here.
    """
    row = db.session.execute(statement(locks=True), {"request_id": request_id}).one_or_none()
    return _checked(actor, row)


@cache
def statement(*, locks: bool) -> TextClause:
    """Return the statement that reads the facts, and locks the request where asked."""
    return text(f"{FACTS} FOR SHARE OF r" if locks else FACTS)


def _checked(actor: Actor, row: object) -> Facts:
    if row is None:
        raise RequestNotFound
    facts = Facts._make(row)  # type: ignore[arg-type]  # a row of the statement
    if not _is_concerned(actor, facts):
        raise RequestNotFound
    return facts


def _is_concerned(actor: Actor, facts: Facts) -> bool:
    if actor.role is Role.CUSTOMER:
        return facts.customer_id == actor.id
    return bool(conversations_of(actor, facts))


def conversations_of(actor: Actor, facts: Facts) -> list[int]:
    """Return the professionals of the conversations that the actor may read, by id."""
    if actor.role is Role.ADMIN:
        return facts.reported
    partner = current_professional(facts)
    everyone = sorted({*facts.begun, *([] if partner is None else [partner])})
    if actor.role is Role.CUSTOMER:
        return everyone
    return [professional_id for professional_id in everyone if professional_id == actor.id]


def choose(actor: Actor, facts: Facts, *, professional_id: int | None) -> int | None:
    """Return the professional of the conversation meant; None if there is none yet.

    Raises:
        Invalid: There are several and none was named, or there is none with the one who was named.
    """
    known = conversations_of(actor, facts)
    if professional_id is not None:
        if professional_id not in known:
            raise no_such_conversation()
        return professional_id
    if len(known) > 1:
        raise which_conversation(known)
    return known[0] if known else None


def check_sees_photo(actor: Actor, photo: Photo) -> None:
    """Raise PhotoNotFound unless the actor may read the conversation that a photo in a message belongs to."""
    try:
        facts = read(actor, request_id=photo.request_id)
    except RequestNotFound as error:
        raise PhotoNotFound from error
    if photo.professional_id not in conversations_of(actor, facts):
        raise PhotoNotFound


def current_professional(facts: Facts) -> int | None:
    """Return who has accepted the request, or is asked for and may still answer."""
    if facts.professional_id is not None:
        return facts.professional_id
    if facts.status == Status.REQUESTED and (facts.asked_until is None or facts.asked_until <= now()):
        return None
    return facts.asked_professional_id


def closes_at(facts: Facts) -> datetime | None:
    """Return when conversations about the request close, or None while it has not ended."""
    return None if facts.ended_at is None else facts.ended_at + OPEN_AFTER_END


def is_open(facts: Facts, *, professional_id: int) -> bool:
    """Return whether both sides can write."""
    end = closes_at(facts)
    return professional_id == current_professional(facts) and (end is None or now() <= end)


def hides_contact_details(facts: Facts) -> bool:
    """Return whether contact details are hidden: before acceptance always, then by the marketplace's setting."""
    return facts.accepted_at is None or facts.contact_is_masked
