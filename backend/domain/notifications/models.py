"""Tables of notifications, their deliveries, and preferences."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from backend.core.db.session import Base, BigId, Created


class Notification(Base):
    """One message to one account, as shown in the app.

    It is worded from ``kind`` and ``params`` when it is read. ``title`` and ``body`` hold the text of rows that were
    written before that was so.
    """

    __tablename__ = "notifications"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    title: Mapped[str | None]
    body: Mapped[str | None]
    request_id: Mapped[int | None]
    params: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    read_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    __table_args__ = (
        Index("ix_notifications_account", "account_id", "created_at", "id"),
        Index("ix_notifications_created", "created_at", "id"),
        Index("ix_notifications_unread", "account_id", postgresql_where=text("read_at IS NULL")),
    )


class Delivery(Base):
    """One message by one channel.

    ``subject`` is what it tells of (a notification, a day, a month); ``position`` counts the channels tried so far:
    the unique constraints make a second message of the same to the same account impossible.
    """

    __tablename__ = "deliveries"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    position: Mapped[int] = mapped_column(server_default=text("0"))
    channel: Mapped[str]
    next_channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id"))
    request_id: Mapped[int | None]
    run_id: Mapped[int | None]
    params: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    message_id: Mapped[str]
    error: Mapped[str | None]
    created_at: Mapped[Created]
    not_before: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("account_id", "kind", "subject", "position"),
        UniqueConstraint("account_id", "kind", "subject", "channel"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'skipped')", name="state"),
        Index("ix_deliveries_account", "account_id", "created_at"),
        Index("ix_deliveries_created", "created_at", "id"),
        Index("ix_deliveries_state", "state", "created_at", "id", postgresql_where=text("state <> 'sent'")),
        Index("ix_deliveries_channel", "channel", "created_at", "id", postgresql_where=text("channel <> 'mail'")),
        Index("ix_deliveries_run", "run_id", "created_at", "id", postgresql_where=text("run_id IS NOT NULL")),
        Index("ix_deliveries_notification", "notification_id"),
    )

    def param(self, name: str) -> str | None:
        """Return a value of the message as text, or None if it has none of this name."""
        value = self.params.get(name)
        return None if value is None else str(value)


class DeliveryAttempt(Base):
    """One attempt to send a delivery, and its result."""

    __tablename__ = "delivery_attempts"

    id: Mapped[BigId]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[Created]
    outcome: Mapped[str]
    detail: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("outcome IN ('sent', 'put_off', 'refused', 'interrupted')", name="outcome"),
        Index("ix_delivery_attempts_delivery", "delivery_id", "id"),
    )


class SmsUsage(Base):
    """One SMS counted towards the limits of its day, before it was sent to the gateway."""

    __tablename__ = "sms_usage"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int]
    phone: Mapped[str]
    is_code: Mapped[bool]
    at: Mapped[Created]

    __table_args__ = (
        Index("ix_sms_usage_at", "at"),
        Index("ix_sms_usage_account", "account_id", "at"),
        Index("ix_sms_usage_phone", "phone", "at"),
    )


class PushSubscription(Base):
    """One browser that receives web push for an account, while the session that subscribed it lasts.

    ``server_key`` is the public key that the browser subscribed with: only a message signed by it is accepted.
    """

    __tablename__ = "push_subscriptions"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    session_id: Mapped[str] = mapped_column(UUID(as_uuid=False), ForeignKey("sessions.id", ondelete="CASCADE"))
    endpoint: Mapped[str] = mapped_column(unique=True)
    p256dh: Mapped[str]
    auth: Mapped[str]
    server_key: Mapped[str]
    created_at: Mapped[Created]

    __table_args__ = (
        Index("ix_push_subscriptions_account", "account_id", "created_at", "id"),
        Index("ix_push_subscriptions_session", "session_id"),
    )


class Preferences(Base):
    """The channels and quiet hours that a user chose.

    ``kinds`` holds the channels of single kinds that differ from ``channels``; an empty list is "in the app only".
    """

    __tablename__ = "preferences"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("ARRAY['mail']"))
    gchat_webhook: Mapped[str | None]
    chat_id: Mapped[str | None]
    quiet_hours: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    kinds: Mapped[dict[str, list[str]]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
