"""Tables of notifications, their deliveries (the ledger) and people's preferences."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from backend.core.database import Base, BigId, Created


class Notification(Base):
    """One message to one person, as it stands in the app."""

    __tablename__ = "notifications"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    request_id: Mapped[int | None]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    read_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    __table_args__ = (
        Index("ix_notifications_account", "account_id", "created_at", "id"),
        Index("ix_notifications_unread", "account_id", postgresql_where=text("read_at IS NULL")),
    )


class Delivery(Base):
    """One message on its way by one channel. The key makes a second one of the same impossible."""

    __tablename__ = "deliveries"

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id"))
    kind: Mapped[str]
    channel: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    message_id: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[Created]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'skipped')", name="state"),
        Index("ix_deliveries_account", "account_id", "created_at"),
        Index("ix_deliveries_created", "created_at", "id"),
    )


class Preferences(Base):
    """By which channels, and when, a person wants to hear of things."""

    __tablename__ = "preferences"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("ARRAY['mail']"))
    gchat_webhook: Mapped[str | None]
    quiet_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    muted: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))

