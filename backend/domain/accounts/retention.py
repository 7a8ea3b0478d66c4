"""Drops sessions that ended long ago."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, union

from backend.core.clock import now
from backend.core.database import db
from backend.domain.accounts.models import Session

KEPT: Final = timedelta(days=30)


def drop_old_sessions(limit: int = 500) -> int:
    """Delete sessions that ended, or ran out, a month ago, so many at a time; returns how many."""
    before = now() - KEPT
    ended = select(Session.id).where(Session.ended_at < before).order_by(Session.ended_at).limit(limit)
    ran_out = select(Session.id).where(Session.expires_at < before).order_by(Session.expires_at).limit(limit)
    # Each half has an index in its order; an OR of both would read the whole table.
    old = union(ended.subquery().select(), ran_out.subquery().select()).limit(limit)
    gone = delete(Session).where(Session.id.in_(old.scalar_subquery())).returning(Session.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())
