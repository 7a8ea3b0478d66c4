"""Photos of requests: of the problem, before and after the work, and in messages."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
REFERENCES = {
    "request_id": "task_requests",
    "author_id": "accounts",
    "message_id": "messages",
    "professional_id": "accounts",
}
CHECKS = {
    "phase": "phase IN ('problem', 'before', 'after', 'message')",
    "author_role": "author_role IN ('customer', 'professional')",
    "slot": "slot BETWEEN 1 AND CASE phase WHEN 'message' THEN 48 ELSE 12 END",
    "message_has_conversation": "(phase = 'message') = (message_id IS NOT NULL)"
    " AND (phase = 'message') = (professional_id IS NOT NULL)",
}


def upgrade() -> None:
    op.create_table(
        "request_photos",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("author_role", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("professional_id", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("store_key", sa.Text(), nullable=False),
        sa.Column("thumb_size", sa.BigInteger(), nullable=False),
        sa.Column("thumb_sha256", sa.Text(), nullable=False),
        sa.Column("thumb_store_key", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        *(sa.CheckConstraint(condition, name=op.f(f"ck_request_photos_{name}")) for name, condition in CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_request_photos_{column}"))
            for column, table in REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_photos")),
        sa.UniqueConstraint("store_key", name=op.f("uq_request_photos_store_key")),
        sa.UniqueConstraint("thumb_store_key", name=op.f("uq_request_photos_thumb_store_key")),
    )
    op.create_index(
        "uq_request_photos_slot",
        "request_photos",
        ["request_id", "phase", "author_id", "slot"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index(
        "uq_request_photos_message",
        "request_photos",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_request_photos_created",
        "request_photos",
        ["created_at", "id"],
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("request_photos")
