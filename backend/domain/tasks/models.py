"""Table of tasks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base, BigId, Created, Money


class Task(Base):
    """Something the market offers. ``time_required`` is in minutes; archived ones are kept for old requests."""

    __tablename__ = "tasks"

    id: Mapped[BigId]
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str]
    category: Mapped[str]
    base_price: Mapped[Money]
    currency: Mapped[str]
    time_required: Mapped[int]
    isactive: Mapped[bool] = mapped_column(server_default=text("true"))
    archived_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("base_price > 0 AND base_price <= 10000000", name="base_price"),
        CheckConstraint("time_required BETWEEN 5 AND 1440", name="time_required"),
        Index("uq_tasks_name_key", "name_key", unique=True, postgresql_where=text("archived_at IS NULL")),
        Index("ix_tasks_category", "category"),
    )
