"""Tables of working hours: weekly ones, and dates with others."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base


class WorkingHours(Base):
    """Weekly working hours: Monday is 0, minutes are in the marketplace's time zone, 24:00 is 1440."""

    __tablename__ = "working_hours"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    begins: Mapped[int] = mapped_column(primary_key=True)
    ends: Mapped[int]

    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("0 <= begins AND begins < ends AND ends <= 1440", name="span"),
    )


class WorkingDay(Base):
    """A date with other working hours than usual, or none (``spans`` empty)."""

    __tablename__ = "working_days"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    spans: Mapped[list[list[int]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
