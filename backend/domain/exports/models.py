"""Table of exports. The CSV is in the export store under ``store_key``."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class Export(Base):
    """One CSV export. ``starts`` and ``ends`` bound closed_at, the latter excluded."""

    __tablename__ = "exports"

    id: Mapped[BigId]
    requested_by: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    professional_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    span_from: Mapped[str | None]
    span_to: Mapped[str | None]
    starts: Mapped[datetime | None]
    ends: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    rows_expected: Mapped[int | None]
    rows: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    store_key: Mapped[str | None]
    size: Mapped[int | None]
    sha256: Mapped[str | None]
    packed_size: Mapped[int | None]  # of the gzip copy under the same key with .gz, where there is one
    failure: Mapped[str | None]
    # While a large export runs: the files of its parts in order, their rows, and the request that ends the last one.
    parts: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    rows_in_parts: Mapped[int] = mapped_column(server_default=text("0"))
    last_closed_at: Mapped[datetime | None]
    last_request_id: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        CheckConstraint(
            "status <> 'done' OR (store_key IS NOT NULL AND size IS NOT NULL AND sha256 IS NOT NULL"
            " AND finished_at IS NOT NULL AND expires_at IS NOT NULL)",
            name="done_is_whole",
        ),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failed_with_reason"),
        Index("ix_exports_created", text("created_at DESC"), text("id DESC")),
        Index("ix_exports_expires", "expires_at", postgresql_where=text("status = 'done' AND dropped_at IS NULL")),
    )
