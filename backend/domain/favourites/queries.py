"""A customer's favourites."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.db import read_pool
from backend.core.db.pagination import Page, Window, cut, decode_cursor
from backend.core.security.authz import Actor
from backend.domain.favourites.exclusions import are_excluded

SCOPE: Final = "favourites"
# Professionals are in a layer above this one. One who is not active, or with whom the customer is not matched, is not
# available: neither of the two is told apart.
PAGE: Final = text(f"""
    SELECT a.id, a.firstname, p.compname, p.exp, p.rating_count AS reviews,
           CASE WHEN p.rating_count > 0 THEN round(p.rating_sum / p.rating_count::numeric, 2)::float END AS rating,
           photo.sha256 AS photo,
           EXISTS (SELECT FROM professional_areas area WHERE area.account_id = a.id)
           AND NOT {are_excluded(":me", "a.id")} AS available,
           f.created_at
      FROM favourites f
      JOIN accounts a ON a.id = f.professional_id
      JOIN professionals p ON p.account_id = f.professional_id
      LEFT JOIN profile_photos photo
        ON photo.account_id = a.id AND photo.replaced_at IS NULL AND photo.state = 'approved'
     WHERE f.customer_id = :me
       AND (CAST(:created_at AS timestamptz) IS NULL
            OR (f.created_at, f.professional_id) < (CAST(:created_at AS timestamptz), :id))
     ORDER BY f.created_at DESC, f.professional_id DESC LIMIT :limit
""")  # noqa: S608  # all parts are constants


class FavouriteProfessional(NamedTuple):
    """A favourite. ``photo`` is the digest of the photo that is shown."""

    id: int
    firstname: str
    compname: str
    exp: int
    reviews: int
    rating: float | None
    photo: str | None
    available: bool
    created_at: datetime


def page(actor: Actor, *, window: Window) -> Page[FavouriteProfessional]:
    """Return the customer's favourites, newest first."""
    created_at, last_id = decode_cursor(SCOPE, window.cursor, length=2) if window.cursor else (None, None)
    values = {"me": actor.id, "created_at": created_at, "id": last_id, "limit": window.limit + 1}
    rows = [FavouriteProfessional._make(row) for row in read_pool.rows(PAGE, values)]
    return cut(rows, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.id))
