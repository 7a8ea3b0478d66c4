"""Table of reviews: one for each request at most."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, Created


class Review(Base):
    """What a customer says of the work, and the professional's one reply."""

    __tablename__ = "reviews"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    rating: Mapped[int]
    comment: Mapped[str | None]
    created_at: Mapped[Created]
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    report_reason: Mapped[str | None]
    hidden_at: Mapped[datetime | None]
    hidden_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index("ix_reviews_professional", "professional_id", "created_at"),
        Index("ix_reviews_customer", "customer_id", "created_at", "request_id"),
        Index("ix_reviews_task", "task_id", "created_at", "request_id"),
        Index("ix_reviews_created", "created_at", "request_id"),
        Index("ix_reviews_reported", "created_at", "request_id", postgresql_where=text("reported_at IS NOT NULL")),
        Index("ix_reviews_hidden", "created_at", "request_id", postgresql_where=text("hidden_at IS NOT NULL")),
    )
