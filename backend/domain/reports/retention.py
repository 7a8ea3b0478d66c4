"""Deletion of old monthly reports."""

from typing import Final

from sqlalchemy import delete, func, select

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.domain.reports.models import MonthlyReport

BATCH: Final = 500


def drop_old(limit: int = BATCH) -> int:
    """Delete reports that were sent long ago, and return how many."""
    before = now() - func.make_interval(0, current_settings().reports_keep_months)
    old = select(MonthlyReport.id).where(MonthlyReport.created_at < before).order_by(MonthlyReport.created_at)
    gone = delete(MonthlyReport).where(MonthlyReport.id.in_(old.limit(limit).scalar_subquery()))
    done = db.session.execute(gone.returning(MonthlyReport.id).execution_options(synchronize_session=False))
    return len(done.all())
