"""Table of monthly reports: the row is what makes a second one for the same month impossible."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created
from backend.domain.reports.statistics import StoredStatistics


class MonthlyReport(Base):
    """The report of one finished month as it went out to one customer. ``month`` is its first day."""

    __tablename__ = "monthly_reports"

    id: Mapped[BigId]
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    month: Mapped[date]
    figures: Mapped[StoredStatistics] = mapped_column(JSONB)
    created_at: Mapped[Created]
    sent_again_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("customer_id", "month"),
        Index("ix_monthly_reports_created", "created_at"),
        CheckConstraint("EXTRACT(day FROM month) = 1", name="month_is_first_day"),
    )
