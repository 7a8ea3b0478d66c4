"""Tables of what is special about professionals."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base


class Professional(Base):
    """A professional's trade: experience, company, approval, area served, rating kept ready."""

    __tablename__ = "professionals"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    exp: Mapped[int]
    compname: Mapped[str]
    approval: Mapped[str] = mapped_column(server_default=text("'document_missing'"))
    approval_reason: Mapped[str | None]
    approval_changed_at: Mapped[datetime | None]
    approval_expires_at: Mapped[datetime | None]
    expiry_reminded_at: Mapped[datetime | None]
    radius_km: Mapped[int] = mapped_column(server_default=text("10"))
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))
    tasks_done: Mapped[int] = mapped_column(server_default=text("0"))
    rating: Mapped[Decimal] = mapped_column(
        Numeric(3, 2),
        Computed("CASE WHEN rating_count > 0 THEN round(rating_sum::numeric / rating_count, 2) ELSE 0 END"),
    )
    company_text: Mapped[str] = mapped_column(Computed("folded(compname)", persisted=True), deferred=True)

    __table_args__ = (
        CheckConstraint("exp BETWEEN 0 AND 60", name="exp"),
        CheckConstraint("radius_km BETWEEN 1 AND 200", name="radius_km"),
        CheckConstraint(
            "approval IN ('document_missing', 'pending', 'approved', 'rejected', 'expired')", name="approval"
        ),
        Index("ix_professionals_approval", "approval", "approval_changed_at", "account_id"),
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
    """A task that a professional does."""

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
