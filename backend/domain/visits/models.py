"""The tables of links that share a visit, and of reminders."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, Created


class VisitLink(Base):
    """The link of one request by which others follow the visit; only the digest of its token is kept.

    ``check_at``: when housekeeping looks whether it has ended.
    """

    __tablename__ = "visit_links"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    check_at: Mapped[Created]

    __table_args__ = (Index("ix_visit_links_check", "check_at"),)


class VisitReminder(Base):
    """One reminder of a visit to one account. ``occasion`` is the start of the visit's day, or the visit's time."""

    __tablename__ = "visit_reminders"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    occasion: Mapped[datetime] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_visit_reminders_occasion", "occasion"),)
