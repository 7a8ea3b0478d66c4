"""Tables of conversations, their messages, and reports about them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class Conversation(Base):
    """The thread of one request and professional, from its first message on.

    ``customer_read_to`` and ``professional_read_to``: the id of the last message that this side has read.
    ``customer_digest_from``: the first unread message that a notification covers; None while none is pending or sent.
    """

    __tablename__ = "conversations"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True)
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    customer_read_to: Mapped[int] = mapped_column(server_default=text("0"))
    professional_read_to: Mapped[int] = mapped_column(server_default=text("0"))
    customer_unread: Mapped[int] = mapped_column(server_default=text("0"))
    professional_unread: Mapped[int] = mapped_column(server_default=text("0"))
    customer_digest_from: Mapped[int | None]
    professional_digest_from: Mapped[int | None]
    created_at: Mapped[Created]
    last_message_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("customer_unread >= 0 AND professional_unread >= 0", name="unread"),
        Index(
            "ix_conversations_customer",
            "customer_id",
            text("last_message_at DESC"),
            text("request_id DESC"),
            text("professional_id DESC"),
        ),
        Index(
            "ix_conversations_professional",
            "professional_id",
            text("last_message_at DESC"),
            text("request_id DESC"),
        ),
        Index(
            "ix_conversations_customer_unread",
            "customer_id",
            postgresql_where=text("customer_unread > 0"),
            postgresql_include=["customer_unread"],
        ),
        Index(
            "ix_conversations_professional_unread",
            "professional_id",
            postgresql_where=text("professional_unread > 0"),
            postgresql_include=["professional_unread"],
        ),
    )


class ConversationMessage(Base):
    """One message, as it is shown. Rows are never changed: a trigger rejects UPDATE and DELETE.

    ``masked``: contact details in it were hidden before it was stored.
    """

    __tablename__ = "messages"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    author_role: Mapped[str]
    body: Mapped[str]
    masked: Mapped[bool]
    created_at: Mapped[Created]

    __table_args__ = (
        CheckConstraint("author_role IN ('customer', 'professional')", name="author_role"),
        Index("ix_messages_conversation", "request_id", "professional_id", "id"),
    )


class ConversationReport(Base):
    """One side's report of a conversation. Until it is settled, admins may read the conversation."""

    __tablename__ = "conversation_reports"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    reporter_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    reporter_role: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[Created]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("reporter_role IN ('customer', 'professional')", name="reporter_role"),
        CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_by_someone"),
        Index(
            "uq_conversation_reports_open",
            "request_id",
            "professional_id",
            "reporter_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_conversation_reports_open", "created_at", "id", postgresql_where=text("settled_at IS NULL")),
        Index("ix_conversation_reports_settled", "created_at", "id", postgresql_where=text("settled_at IS NOT NULL")),
    )
