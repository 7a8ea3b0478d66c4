"""The link by which someone the customer trusts follows a visit, without an account, address or phone number."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor
from backend.domain.task_requests import queries
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.rows import Request
from backend.domain.visits.models import VisitLink

PATH: Final = "/app/visit/"
KEPT: Final = timedelta(hours=2)  # after the planned end
ENDED: Final = (Status.CANCELLED, Status.EXPIRED)
# The end follows the request: a link that was shared before the date changed ends with the new date.
SHARED: Final = text("""
    SELECT r.task_name, r.status, r.date_of_request, r.time_required, r.on_the_way_at, r.eta_at, r.on_time_at,
           r.arrived_at, r.started_at, r.completed_at, r.professional_id, a.firstname, p.compname, photo.sha256 AS photo
      FROM visit_links l
      JOIN task_requests r ON r.id = l.request_id
      LEFT JOIN accounts a ON a.id = r.professional_id
      LEFT JOIN professionals p ON p.account_id = r.professional_id
      LEFT JOIN profile_photos photo
        ON photo.account_id = r.professional_id AND photo.replaced_at IS NULL AND photo.state = 'approved'
     WHERE l.token_hash = :token_hash
""")
# Links are looked at when they should have ended, and again at the new end where the request has moved since.
DROPPED: Final = text("""
    WITH due AS (
        SELECT l.request_id, r.date_of_request + make_interval(mins => r.time_required::integer) + :kept AS ends_at,
               r.status IN ('cancelled', 'expired') AS is_over
          FROM visit_links l JOIN task_requests r ON r.id = l.request_id
         WHERE l.check_at <= :at ORDER BY l.check_at LIMIT :limit FOR UPDATE OF l SKIP LOCKED
    ), moved AS (
        UPDATE visit_links l SET check_at = due.ends_at FROM due
         WHERE l.request_id = due.request_id AND NOT due.is_over AND due.ends_at > :at
    ), dropped AS (
        DELETE FROM visit_links l USING due
         WHERE l.request_id = due.request_id AND (due.is_over OR due.ends_at <= :at) RETURNING l.request_id
    )
    SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM dropped)
""")


@dataclass(frozen=True, slots=True)
class Link:
    """The link of a request. ``url`` is known only when it is made."""

    created_at: datetime
    expires_at: datetime
    url: str | None = None


class SharedVisit(NamedTuple):
    """What a link shows. ``photo`` is the digest of the professional's photo."""

    task_name: str
    status: str
    date_of_request: datetime
    time_required: int
    on_the_way_at: datetime | None
    eta_at: datetime | None
    on_time_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    professional_id: int | None
    firstname: str | None
    compname: str | None
    photo: str | None

    @property
    def expires_at(self) -> datetime:
        return _end(self.date_of_request, self.time_required)


def make(actor: Actor, *, request_id: int) -> Link:
    """Make the link of the customer's own accepted request. It replaces an earlier one, which ends.

    Raises:
        Conflict: The request is not accepted, or its visit is over.
    """
    request = _own(actor, request_id)
    at, expires_at = now(), _end(request.date_of_request, request.time_required)
    if request.status != Status.ACCEPTED or expires_at <= at:
        raise Conflict("Only an upcoming visit of an accepted request can be shared.", code="visit_not_shareable")
    token = secrets.token_urlsafe(32)
    values = {"token_hash": _digest(token), "created_at": at, "check_at": expires_at}
    statement = insert(VisitLink).values(request_id=request.id, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["request_id"], set_=values))
    return Link(at, expires_at, f"{current_settings().public_url}{PATH}{token}")


def get(actor: Actor, *, request_id: int) -> Link | None:
    """Return the link of the customer's own request while it works, without its URL."""
    request = _own(actor, request_id)
    expires_at = _end(request.date_of_request, request.time_required)
    created_at = db.session.execute(
        select(VisitLink.created_at).where(VisitLink.request_id == request.id)
    ).scalar_one_or_none()
    if created_at is None or request.status in ENDED or expires_at <= now():
        return None
    return Link(created_at, expires_at)


def end(actor: Actor, *, request_id: int) -> None:
    """End the link of the customer's own request, if there is one."""
    request = _own(actor, request_id)
    db.session.execute(delete(VisitLink).where(VisitLink.request_id == request.id))


def read(token: str) -> SharedVisit:
    """Return the visit that a link shows.

    Raises:
        NotFound: There is no such link, or it has ended.
    """
    row = read_pool.one_or_none(SHARED, {"token_hash": _digest(token)})
    visit = None if row is None else SharedVisit._make(row)
    if visit is None or visit.status in ENDED or visit.expires_at <= now():
        raise NotFound("This link has ended or is not valid. Ask the person who shared it for a new one.")
    return visit


def drop_ended(limit: int = 500) -> tuple[int, int]:
    """Look at up to ``limit`` links that should have ended, and delete those that have.

    A link of a request that was cancelled does not work any more, and is deleted at its planned end. Return how many
    were looked at, and how many of them were deleted.
    """
    looked_at, dropped = db.session.execute(DROPPED, {"at": now(), "kept": KEPT, "limit": limit}).one()
    return looked_at, dropped


def _own(actor: Actor, request_id: int) -> Request:
    found, _ = queries.one(actor, request_id=request_id)
    return found.request


def _end(date_of_request: datetime, time_required: int) -> datetime:
    return date_of_request + timedelta(minutes=time_required) + KEPT


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
