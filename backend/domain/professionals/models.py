"""Tables of professionals."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Integer, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, INTEGER, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base

# Sorts the best rated first: as if everyone had three reviews of four stars besides their own.
# Written as PostgreSQL shows it, so that Alembic finds the index of the models equal to that of the database.
MERIT: Final = "((- (12 + rating_sum)) * 1000 / (3 + rating_count))"


class Professional(Base):
    """A professional's profile: experience, company, approval, service area, precomputed rating.

    ``rating_counts``: how often 1 to 5 stars were given.
    """

    __tablename__ = "professionals"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    exp: Mapped[int]
    compname: Mapped[str]
    about: Mapped[str] = mapped_column(server_default=text("''"))
    approval: Mapped[str] = mapped_column(server_default=text("'document_missing'"))
    approval_reason: Mapped[str | None]
    approval_changed_at: Mapped[datetime | None]
    approval_expires_at: Mapped[datetime | None]
    expiry_reminded_at: Mapped[datetime | None]
    # None while they may hold accepted requests without an approval. A time for all others, so that the planner knows
    # how few these are.
    holds_checked_at: Mapped[datetime | None]
    radius_km: Mapped[int] = mapped_column(server_default=text("10"))
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))
    rating_counts: Mapped[list[int]] = mapped_column(ARRAY(BIGINT), server_default=text("'{0,0,0,0,0}'::bigint[]"))
    tasks_done: Mapped[int] = mapped_column(server_default=text("0"))
    rating: Mapped[Decimal] = mapped_column(
        Numeric(3, 2),
        Computed("CASE WHEN rating_count > 0 THEN round(rating_sum::numeric / rating_count, 2) ELSE 0 END"),
    )
    company_text: Mapped[str] = mapped_column(Computed("folded(compname)", persisted=True), deferred=True)

    __table_args__ = (
        CheckConstraint("exp BETWEEN 0 AND 60", name="exp"),
        CheckConstraint("radius_km BETWEEN 1 AND 200", name="radius_km"),
        CheckConstraint("cardinality(rating_counts) = 5", name="rating_counts"),
        CheckConstraint(
            "approval IN ('document_missing', 'pending', 'approved', 'rejected', 'expired')", name="approval"
        ),
        Index("ix_professionals_approval", "approval", "approval_changed_at", "account_id"),
        Index(
            "ix_professionals_unchecked",
            "account_id",
            postgresql_where=text("approval IN ('pending', 'rejected', 'expired') AND holds_checked_at IS NULL"),
        ),
        Index("ix_professionals_merit", text(MERIT), "account_id"),
        Index("ix_professionals_rating", text("rating DESC"), text("account_id DESC")),
        Index(
            "ix_professionals_expiring",
            "approval_expires_at",
            postgresql_where=text("approval = 'approved' AND approval_expires_at IS NOT NULL"),
        ),
        Index(
            "ix_professionals_company_text",
            "company_text",
            postgresql_using="gin",
            postgresql_ops={"company_text": "gin_trgm_ops"},
        ),
    )


class ProfessionalTask(Base):
    """A task that a professional offers."""

    __tablename__ = "professional_tasks"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_professional_tasks_task", "task_id", "account_id"),)


class ProfessionalPincode(Base):
    """A pincode that a professional serves besides the radius around their own."""

    __tablename__ = "professional_pincodes"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    pincode: Mapped[str] = mapped_column(ForeignKey("places.pincode"), primary_key=True)

    __table_args__ = (Index("ix_professional_pincodes_pincode", "pincode", "account_id"),)


class ProfessionalArea(Base):
    """How an active professional is currently counted: home, radius, listed pincodes, tasks."""

    __tablename__ = "professional_areas"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    pincode: Mapped[str] = mapped_column(ForeignKey("places.pincode"))
    radius_km: Mapped[int] = mapped_column(Integer)
    listed: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    task_ids: Mapped[list[int]] = mapped_column(ARRAY(BIGINT))

    __table_args__ = (
        Index("ix_professional_areas_pincode", "pincode"),
        Index("ix_professional_areas_offers", "pincode", "task_ids", postgresql_using="gin"),
    )


class TaskPlace(Base):
    """How many active professionals do a task at a place, and how far away (metres, sorted) they live.

    A place is a pincode, or a region's key; regions have no distances.
    """

    __tablename__ = "task_places"

    place: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    professionals: Mapped[int] = mapped_column(Integer)
    nearest: Mapped[int | None] = mapped_column(Integer)
    distances: Mapped[list[int]] = mapped_column(ARRAY(INTEGER), server_default=text("'{}'::integer[]"))

    __table_args__ = (Index("ix_task_places_task", "task_id"),)


class TaskHome(Base):
    """How many active professionals who do a task live at a pincode: what a radius chosen by a visitor adds up."""

    __tablename__ = "task_homes"

    pincode: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    professionals: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("ix_task_homes_task", "task_id"),
        Index("ix_task_homes_counts", "pincode", postgresql_include=["task_id", "professionals"]),
    )
