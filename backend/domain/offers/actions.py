"""Actions on offers: make or renew, withdraw, accept, expire.

Offers for one request queue up at its row. An acceptance changes that row by its version, as `accept` does: exactly one
wins, whatever is offered or withdrawn at the same time.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from psycopg.errors import ExclusionViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Forbidden, Invalid
from backend.core.security.authz import Actor
from backend.domain.conversations.masking import mask
from backend.domain.market import settings as market
from backend.domain.offers import notifications, queries
from backend.domain.offers.errors import OfferExpired, OfferNotFound, OffersFull, ProfessionalNotAvailable
from backend.domain.offers.queries import OfferRow
from backend.domain.task_requests import checklists
from backend.domain.task_requests.actions import acceptance
from backend.domain.task_requests.errors import OverlappingRequest
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.offers import notify_ended
from backend.domain.task_requests.rows import Request, RequestWithContacts
from backend.domain.task_requests.transitions import (
    ChangedMeanwhile,
    load,
    retry_when_changed,
    write,
    write_history,
)

MOST_LIVE: Final = 5
LOCK: Final = text("SELECT id FROM task_requests WHERE id = :id AND version = :version FOR NO KEY UPDATE")
# The professional's earlier offer, and those whose time is over, make room first.
CLEAR: Final = text("""
    UPDATE offers SET slot = NULL, ended_at = :at,
           state = CASE WHEN valid_until <= :at THEN 'expired' ELSE 'replaced' END
     WHERE request_id = :request_id AND state = 'live' AND (valid_until <= :at OR professional_id = :me)
""")
MAKE: Final = text("""
    INSERT INTO offers (request_id, professional_id, amount, note, valid_until, slot, made_at)
    SELECT :request_id, :me, :amount, :note, :valid_until, slot, :at
      FROM generate_series(1, :most) AS free (slot)
     WHERE slot NOT IN (SELECT o.slot FROM offers o WHERE o.request_id = :request_id AND o.state = 'live')
     ORDER BY slot LIMIT 1
    RETURNING id
""")
WITHDRAW: Final = text("""
    UPDATE offers SET state = 'withdrawn', slot = NULL, ended_at = :at
     WHERE id = :id AND state = 'live' AND valid_until > :at RETURNING id
""")
ACCEPT: Final = text("""
    UPDATE offers SET state = 'accepted', slot = NULL
     WHERE id = :id AND state = 'live' AND valid_until > :at RETURNING id
""")
END_OTHERS: Final = text("""
    UPDATE offers SET state = 'ended', slot = NULL, ended_at = :at WHERE request_id = :request_id AND state = 'live'
    RETURNING professional_id
""")
EXPIRE: Final = text("""
  WITH over AS (
       SELECT id FROM offers WHERE state = 'live' AND valid_until <= :at
        ORDER BY valid_until LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
     )
UPDATE offers SET state = 'expired', slot = NULL, ended_at = :at WHERE id IN (SELECT id FROM over)
""")


@retry_when_changed
def make(
    actor: Actor,
    *,
    request_id: int,
    amount: Decimal,
    note: str | None = None,
    valid_until: datetime | None = None,
    expected_version: int | None = None,
) -> OfferRow:
    """Make an offer, or renew the own one. Contact details in the note are hidden before it is stored.

    Raises:
        OfferNeeded, NotByOffer, InvalidTransition, AlreadyTaken: The request takes no offers.
        OffersFull: It has five live ones of others.
        Invalid: The time of the offer has passed, is after the date of the request, or too far ahead.
    """
    request = load(actor, Action.MAKE_OFFER, request_id=request_id, expected_version=expected_version)
    ends = _valid_until(request, valid_until)
    hidden = mask(note, region=current_settings().market_country).text if note else None
    _lock(request)
    changes: dict[str, object] = {"amount": f"{amount:.2f}", "valid_until": ends.isoformat()}
    if request.asked_professional_id == actor.id:
        # The one who was asked has answered: others see the request once the offer has ended.
        write(actor, request, Action.MAKE_OFFER, {"asked_until": ends}, changes=changes)
    else:
        write_history(actor, request, Action.MAKE_OFFER, changes=changes)
    values = {"request_id": request_id, "me": actor.id, "at": now()}
    db.session.execute(CLEAR, values)
    more = {"amount": amount, "note": hidden, "valid_until": ends, "most": MOST_LIVE}
    made = db.session.execute(MAKE, values | more).scalar_one_or_none()
    if made is None:
        raise OffersFull(MOST_LIVE)
    offer = queries.one(request_id, made)
    notifications.notify_made(offer, request)
    return offer


@retry_when_changed
def withdraw(actor: Actor, *, request_id: int, offer_id: int, expected_version: int | None = None) -> OfferRow:
    """Withdraw the own offer. Raises OfferNotFound, OfferExpired."""
    offer = queries.one(request_id, offer_id)
    if offer.professional_id != actor.id:
        raise OfferNotFound
    request = load(actor, Action.WITHDRAW_OFFER, request_id=request_id, expected_version=expected_version)
    _lock(request)
    if request.asked_professional_id == actor.id:
        write(actor, request, Action.WITHDRAW_OFFER, {"asked_until": now()})
    else:
        write_history(actor, request, Action.WITHDRAW_OFFER)
    if db.session.execute(WITHDRAW, {"id": offer_id, "at": now()}).scalar_one_or_none() is None:
        raise OfferExpired
    notifications.notify_withdrawn(offer, request)
    return offer._replace(state="withdrawn")


@retry_when_changed
def accept(actor: Actor, *, request_id: int, offer_id: int, expected_version: int | None = None) -> RequestWithContacts:
    """Accept an offer: its amount is the agreed price, its professional has accepted, and the other offers end.

    Raises:
        OfferNotFound, OfferExpired: There is no such offer, or it has ended.
        AlreadyTaken: One was accepted before.
        ProfessionalNotAvailable: Who made it is blocked or no longer approved.
        OverlappingRequest: Who made it has accepted another request at that time. The database refuses it.
    """
    offer = queries.one(request_id, offer_id)
    request = load(actor, Action.ACCEPT_OFFER, request_id=request_id, expected_version=expected_version)
    if offer.state != "live":
        raise OfferExpired
    try:
        values, has_checklist = acceptance(request, professional_id=offer.professional_id)
    except Forbidden as error:
        raise ProfessionalNotAvailable from error
    values["price"] = offer.amount
    changes: dict[str, object] = {
        "price": [f"{request.price:.2f}", f"{offer.amount:.2f}"],
        "professional_id": offer.professional_id,
    }
    try:
        accepted = write(actor, request, Action.ACCEPT_OFFER, values, changes=changes)
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            message = "This professional has accepted another request at that time. Choose another offer."
            raise OverlappingRequest(message) from error
        raise
    if has_checklist:
        checklists.copy(request.id, task_id=request.task_id)
    at = now()
    if db.session.execute(ACCEPT, {"id": offer_id, "at": at}).scalar_one_or_none() is None:
        raise OfferExpired
    others = db.session.execute(END_OTHERS, {"request_id": request_id, "at": at}).scalars()
    notify_ended([(request, professional_id) for professional_id in others], why="chosen")
    notifications.notify_accepted(actor, offer, accepted)
    return accepted


def expire_due(limit: int = 500) -> int:
    """Mark offers whose time is over as expired; return how many. Repeat while that is ``limit``."""
    expired = db.session.execute(EXPIRE, {"at": now(), "limit": limit})
    return int(expired.rowcount)  # type: ignore[attr-defined]  # an UPDATE returns a cursor


def _lock(request: Request) -> None:
    """Let offers for one request queue up. Raises ChangedMeanwhile."""
    if db.session.execute(LOCK, {"id": request.id, "version": request.version}).scalar_one_or_none() is None:
        raise ChangedMeanwhile


def _valid_until(request: Request, wanted: datetime | None) -> datetime:
    """Return when an offer ends: as wanted, else after the marketplace's hours, but not after the date.

    Raises:
        Invalid: That has passed, or is later than offers may be valid.
    """
    at, days = now(), current_settings().offer_longest_days
    longest = at + timedelta(days=days)
    if wanted is None:
        return min(at + timedelta(hours=market.get().offer_valid_hours), longest, request.date_of_request)
    if wanted <= at:
        raise Invalid.field("valid_until", "Must be in the future.")
    if wanted > request.date_of_request:
        raise Invalid.field("valid_until", "Must not be after the date of the request.")
    if wanted > longest:
        raise Invalid.field("valid_until", f"Must be within the next {days} days.")
    return wanted
