"""Tables of the audit trail. Triggers reject UPDATE and DELETE and write the seals (see the migrations)."""

from sqlalchemy import Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class AuditEntry(Base):
    """One recorded action."""

    __tablename__ = "audit_entries"

    id: Mapped[BigId]
    at: Mapped[Created]
    actor_id: Mapped[int | None]
    actor_role: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[int | None]
    subject_kind: Mapped[str]
    address: Mapped[str | None]
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_audit_entries_at", "at", "id"),
        Index("ix_audit_entries_actor", "actor_id", "at", "id"),
        Index("ix_audit_entries_subject", "subject_id", "at", "id"),
        Index("ix_audit_entries_action", "action", "at", "id"),
    )


class AuditSeal(Base):
    """The hash of an entry, chained to the previous seal; written by the database, see ``chain``.

    ``removed``: why the entry is not there any more, for those that the self-check takes away after itself.
    """

    __tablename__ = "audit_seals"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    removed: Mapped[str | None]
