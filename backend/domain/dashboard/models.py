"""Tables of the counts that are kept for the dashboard. Triggers write them (migration 0025), see ADR 129."""

from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Numeric, PrimaryKeyConstraint, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base


class DashboardCount(Base):
    """A count, for example of the requests of a task that were created on a day and are closed now.

    ``value``: the sum of their prices, where it matters. A count without a day has that of the epoch.
    """

    __tablename__ = "dashboard_counts"

    measure: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[int]
    value: Mapped[Decimal] = mapped_column(Numeric(14, 2))

    __table_args__ = (PrimaryKeyConstraint("measure", "day", "subject", "kind", postgresql_include=["total", "value"]),)


# Changes of counts that are not added to them yet. Without a key: rows are only ever appended, and removed when added.
DASHBOARD_CHANGES: Final = Table(
    "dashboard_changes",
    Base.metadata,
    Column("measure", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("value", Numeric(14, 2), nullable=False),
)


class DashboardZone(Base):
    """The time zone of the days in :class:`DashboardCount`; at most one row."""

    __tablename__ = "dashboard_zones"

    zone: Mapped[str] = mapped_column(primary_key=True)
