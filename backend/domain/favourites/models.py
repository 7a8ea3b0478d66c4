"""The tables of favourites and exclusions."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, Created


class Favourite(Base):
    """A professional whom a customer keeps."""

    __tablename__ = "favourites"

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    created_at: Mapped[Created]

    __table_args__ = (Index("ix_favourites_professional", "professional_id"),)


class Exclusion(Base):
    """Two users whom one of them does not want to be matched again; ``request_id``: where they met."""

    __tablename__ = "exclusions"

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    set_by: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    created_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("set_by IN ('customer', 'professional')", name="set_by"),
        Index("ix_exclusions_professional", "professional_id", "customer_id"),
        Index("ix_exclusions_request", "request_id"),
    )
