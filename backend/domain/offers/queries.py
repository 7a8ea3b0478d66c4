"""Reads of offers, with what everyone may know of who made them."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.security.authz import Actor, Role
from backend.domain.offers.errors import OfferNotFound
from backend.domain.task_requests import queries as requests
from backend.domain.task_requests.rows import Request

MOST: Final = 100  # a request has a few; this only bounds the response
# An offer whose time is over may still be live in the table, until housekeeping or the next offer.
STATE: Final = "CASE WHEN o.state = 'live' AND o.valid_until <= :now THEN 'expired' ELSE o.state END"
ROWS: Final = f"""
    SELECT o.id, o.request_id, o.professional_id, o.amount, o.note, o.valid_until, {STATE} AS state, o.made_at,
           a.firstname, p.compname, p.exp, CASE WHEN p.rating_count > 0 THEN p.rating::float END AS rating,
           p.rating_count AS reviews, p.tasks_done, photo.sha256 AS photo,
           round(metres_from(ll_to_earth(there.latitude, there.longitude), home.latitude, home.longitude) / 1000.0, 1)
             ::float AS distance_km
      FROM offers o
      JOIN task_requests r ON r.id = o.request_id
      JOIN accounts a ON a.id = o.professional_id
      JOIN professionals p ON p.account_id = o.professional_id
      JOIN places home ON home.pincode = a.pincode
      JOIN places there ON there.pincode = r.pincode
      LEFT JOIN profile_photos photo
        ON photo.account_id = a.id AND photo.replaced_at IS NULL AND photo.state = 'approved'
     WHERE o.request_id = :request_id
"""  # noqa: S608  # all parts are constants
ORDER: Final = "ORDER BY state = 'live' DESC, amount, id LIMIT :most"
ALL: Final = text(f"SELECT * FROM ({ROWS} AND o.state <> 'replaced') listed {ORDER}")  # noqa: S608  # all parts are constants
OWN: Final = text(f"SELECT * FROM ({ROWS} AND o.state <> 'replaced' AND o.professional_id = :me) listed {ORDER}")  # noqa: S608  # all parts are constants
ONE: Final = text(f"SELECT * FROM ({ROWS} AND o.id = :offer_id) listed")  # noqa: S608  # all parts are constants


class OfferRow(NamedTuple):
    """An offer with the public profile of who made it. ``photo`` is the digest of the photo that is shown."""

    id: int
    request_id: int
    professional_id: int
    amount: Decimal
    note: str | None
    valid_until: datetime
    state: str
    made_at: datetime
    firstname: str
    compname: str
    exp: int
    rating: float | None
    reviews: int
    tasks_done: int
    photo: str | None
    distance_km: float | None


def of_request(actor: Actor, *, request_id: int) -> tuple[Request, list[OfferRow]]:
    """Return the request and its offers, valid ones first, the lowest price first. Professionals see their own.

    Raises:
        RequestNotFound: There is no such request, or the actor may not see it.
    """
    found, _ = requests.one(actor, request_id=request_id)
    statement = OWN if actor.role is Role.PROFESSIONAL else ALL
    values = {"request_id": request_id, "me": actor.id, "now": now(), "most": MOST}
    if statement is ALL:
        del values["me"]
    return found.request, [OfferRow._make(row) for row in read_pool.rows(statement, values)]


def one(request_id: int, offer_id: int) -> OfferRow:
    """Return an offer for this request as it is now. Raises OfferNotFound."""
    row = read_pool.one_or_none(ONE, {"request_id": request_id, "offer_id": offer_id, "now": now()})
    if row is None:
        raise OfferNotFound
    return OfferRow._make(row)
