"""Reading reviews."""

from typing import Any

from sqlalchemy import select

from backend.core.authz import Actor, Role
from backend.core.database import db
from backend.domain.reviews.models import Review


def present(row: Review) -> dict[str, Any]:
    """A review as those concerned see it."""
    return {
        "rating": row.rating,
        "comment": row.comment,
        "created_at": row.created_at,
        "reply": row.reply,
        "replied_at": row.replied_at,
        "reported": row.reported_at is not None,
        "hidden": row.hidden_at is not None,
    }


def of_request(actor: Actor, *, request_id: int) -> dict[str, Any] | None:
    """The review of a request that the actor may see; a hidden one is shown to its author and admins only."""
    row = db.session.execute(select(Review).where(Review.request_id == request_id)).scalar_one_or_none()
    if row is None or (row.hidden_at is not None and actor.role is Role.PROFESSIONAL):
        return None
    return present(row)
