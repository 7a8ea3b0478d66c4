"""The table of photos. Both files of a photo are in the document store."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class RequestPhoto(Base):
    """A photo of a request, as two WebP files without metadata; removing it keeps the row with ``removed_at`` set.

    ``slot`` numbers the photos of one author in one phase: its range is the limit, its uniqueness holds it against
    uploads at the same time. ``point`` is the number of the point of the checklist that it shows. A photo in a message
    belongs to the conversation with ``professional_id``. ``ended_after``: its request ends at this time or later, as
    housekeeping found it; before, ``created_at`` says the same.
    """

    __tablename__ = "request_photos"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    author_role: Mapped[str]
    phase: Mapped[str]
    slot: Mapped[int]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    professional_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    point: Mapped[int | None]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[str]
    store_key: Mapped[str] = mapped_column(unique=True)
    thumb_size: Mapped[int]
    thumb_sha256: Mapped[str]
    thumb_store_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    removed_at: Mapped[datetime | None]
    ended_after: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("phase IN ('problem', 'before', 'after', 'message')", name="phase"),
        CheckConstraint("author_role IN ('customer', 'professional')", name="author_role"),
        CheckConstraint("slot BETWEEN 1 AND CASE phase WHEN 'message' THEN 48 ELSE 12 END", name="slot"),
        CheckConstraint(
            "(phase = 'message') = (message_id IS NOT NULL) AND (phase = 'message') = (professional_id IS NOT NULL)",
            name="message_has_conversation",
        ),
        Index(
            "uq_request_photos_slot",
            "request_id",
            "phase",
            "author_id",
            "slot",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("uq_request_photos_message", "message_id", unique=True, postgresql_where=text("message_id IS NOT NULL")),
        Index(
            "ix_request_photos_ended",
            text("coalesce(ended_after, created_at)"),
            "id",
            postgresql_where=text("removed_at IS NULL"),
        ),
    )
