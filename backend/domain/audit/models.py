"""Table of the audit trail. A trigger refuses UPDATE and DELETE (see the migration)."""

from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base, BigId, Created


class AuditEntry(Base):
    """One thing done to someone or something."""

    __tablename__ = "audit_entries"

    id: Mapped[BigId]
    at: Mapped[Created]
    actor_id: Mapped[int | None]
    actor_role: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[int | None]
    subject_kind: Mapped[str]
    address: Mapped[str | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_audit_entries_at", "at", "id"),
        Index("ix_audit_entries_actor", "actor_id", "at", "id"),
        Index("ix_audit_entries_subject", "subject_id", "at", "id"),
        Index("ix_audit_entries_action", "action", "at", "id"),
    )
