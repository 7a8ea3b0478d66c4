"""Keep a professional as a favourite, and remove them."""

from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor
from backend.domain.favourites import exclusions
from backend.domain.favourites.models import Favourite
from backend.domain.live_updates.changes import announce_favourites

MOST: Final = 100
COUNT: Final = text("SELECT count(*) FROM favourites WHERE customer_id = :customer_id")
# Professionals are in a layer above this one. Favourites are chosen from those who have a public profile.
ACTIVE: Final = text("SELECT FROM professional_areas WHERE account_id = :professional_id")


def add(actor: Actor, *, professional_id: int) -> None:
    """Keep a professional; a repeated call changes nothing. The caller holds the actor's account.

    Raises:
        NotFound: There is no active professional with this id.
        Conflict: The customer has excluded the professional, or has reached the limit.
    """
    pair = {"customer_id": actor.account_id, "professional_id": professional_id}
    if db.session.get(Favourite, pair) is not None:
        return
    if db.session.execute(ACTIVE, pair).first() is None:
        raise NotFound("Professional not found.")
    if exclusions.is_own(customer_id=actor.account_id, professional_id=professional_id):
        message = "You chose not to be matched with this professional again. Undo that first."
        raise Conflict(message, code="excluded")
    if db.session.execute(COUNT, pair).scalar_one() >= MOST:
        raise Conflict(
            f"You have reached the limit of {MOST} favourites. Remove one first.", code="too_many_favourites"
        )
    db.session.execute(insert(Favourite).values(**pair, created_at=now()).on_conflict_do_nothing())
    announce_favourites(actor.account_id)


def remove(actor: Actor, *, professional_id: int) -> None:
    """Remove a favourite; a repeated call changes nothing."""
    gone = delete(Favourite).filter_by(customer_id=actor.account_id, professional_id=professional_id)
    db.session.execute(gone.execution_options(synchronize_session=False))
    announce_favourites(actor.account_id)
