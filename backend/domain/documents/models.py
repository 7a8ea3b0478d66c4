"""Table of documents. Files are in the document store under ``store_key``."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
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
