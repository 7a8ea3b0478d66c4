"""Conversations of customers and professionals: threads, append-only messages, and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _conversations()
    _messages()
    _reports()


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("customer_read_to", "professional_read_to", "customer_unread", "professional_unread")
        ),
        sa.Column("customer_digest_from", sa.BigInteger(), nullable=True),
        sa.Column("professional_digest_from", sa.BigInteger(), nullable=True),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("last_message_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("customer_unread >= 0 AND professional_unread >= 0", name=op.f("ck_conversations_unread")),
        *_foreign_keys("conversations", request_id="task_requests", professional_id="accounts", customer_id="accounts"),
        sa.PrimaryKeyConstraint("request_id", "professional_id", name=op.f("pk_conversations")),
    )
    newest = [sa.text(f"{name} DESC") for name in ("last_message_at", "request_id", "professional_id")]
    op.create_index("ix_conversations_customer", "conversations", ["customer_id", *newest])
    op.create_index("ix_conversations_professional", "conversations", ["professional_id", *newest[:2]])
    for side in ("customer", "professional"):
        op.create_index(
            f"ix_conversations_{side}_unread",
            "conversations",
            [f"{side}_id"],
            postgresql_where=sa.text(f"{side}_unread > 0"),
            postgresql_include=[f"{side}_unread"],
        )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("author_role", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("author_role IN ('customer', 'professional')", name=op.f("ck_messages_author_role")),
        *_foreign_keys("messages", request_id="task_requests", professional_id="accounts", author_id="accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_conversation", "messages", ["request_id", "professional_id", "id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON messages FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON messages EXECUTE FUNCTION refuse_change()")


def _reports() -> None:
    op.create_table(
        "conversation_reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "reporter_role IN ('customer', 'professional')", name=op.f("ck_conversation_reports_reporter_role")
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL)", name=op.f("ck_conversation_reports_settled_by_someone")
        ),
        *_foreign_keys(
            "conversation_reports",
            request_id="task_requests",
            professional_id="accounts",
            reporter_id="accounts",
            settled_by="accounts",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_reports")),
    )
    op.create_index(
        "uq_conversation_reports_open",
        "conversation_reports",
        ["request_id", "professional_id", "reporter_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    for name, condition in (("open", "settled_at IS NULL"), ("settled", "settled_at IS NOT NULL")):
        op.create_index(
            f"ix_conversation_reports_{name}",
            "conversation_reports",
            ["created_at", "id"],
            postgresql_where=sa.text(condition),
        )


def _foreign_keys(table: str, **references: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in references.items()
    ]


def downgrade() -> None:
    for table in ("conversation_reports", "messages", "conversations"):
        op.drop_table(table)
