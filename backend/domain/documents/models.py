"""Tables of documents and profile photos. Files are in the document store under ``store_key``."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class Document(Base):
    """An uploaded document; replacing it keeps the old row with ``replaced_at`` set."""

    __tablename__ = "documents"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    pages: Mapped[int]
    store_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_documents_current", "account_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )


class ProfilePhoto(Base):
    """A photo for a public profile, as two squares; an admin decides on it before others see it.

    An account has at most one that is shown and one that was submitted since, pending or rejected. Replacing or
    removing a photo keeps its row with ``replaced_at`` set.
    """

    __tablename__ = "profile_photos"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    reason: Mapped[str | None]
    size: Mapped[int]
    sha256: Mapped[str]
    store_key: Mapped[str] = mapped_column(unique=True)
    small_size: Mapped[int]
    small_sha256: Mapped[str]
    small_store_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    decided_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="state"),
        CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided_has_time"),
        CheckConstraint("state <> 'rejected' OR reason IS NOT NULL", name="rejected_has_reason"),
        Index(
            "uq_profile_photos_shown",
            "account_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL AND state = 'approved'"),
        ),
        Index(
            "uq_profile_photos_submitted",
            "account_id",
            unique=True,
            postgresql_where=text("replaced_at IS NULL AND state <> 'approved'"),
        ),
        Index("ix_profile_photos_state", "state", "created_at", "id", postgresql_where=text("replaced_at IS NULL")),
    )
