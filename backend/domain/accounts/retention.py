"""Drops sessions that ended long ago."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, or_, select

from backend.core.clock import now
from backend.core.database import db
from backend.domain.accounts.models import Session

KEPT: Final = timedelta(days=30)
BATCH: Final = 500


def drop_old_sessions() -> int:
    """Delete sessions that ended, or ran out, a month ago; returns how many."""
    limit = now() - KEPT
    old = select(Session.id).where(or_(Session.ended_at < limit, Session.expires_at < limit)).limit(BATCH)
    gone = delete(Session).where(Session.id.in_(old.scalar_subquery())).returning(Session.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())
