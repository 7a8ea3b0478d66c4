"""Browsers that receive web push for an account, each for as long as its session lasts."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The earlier version knows no such channel: who chose it alone gets email again.
WITHOUT = """
    UPDATE preferences
       SET channels = CASE WHEN channels = ARRAY['push'] THEN ARRAY['mail'] ELSE array_remove(channels, 'push') END,
           kinds = coalesce((SELECT jsonb_object_agg(kind, chosen - 'push') FROM jsonb_each(kinds) AS own (kind, chosen)
                              WHERE chosen <> '["push"]'::jsonb), '{}'::jsonb)
     WHERE 'push' = ANY (channels) OR kinds::text LIKE '%"push"%'
"""
# Waiting messages go by email, unless the same one does already.
MAILED = """
    UPDATE deliveries d
       SET channel = 'mail', next_channels = array_remove(next_channels, 'mail')
     WHERE state = 'waiting' AND channel = 'push'
       AND NOT EXISTS (SELECT 1 FROM deliveries other
                        WHERE other.account_id = d.account_id AND other.kind = d.kind AND other.subject = d.subject
                          AND other.channel = 'mail')
"""
SKIPPED = "UPDATE deliveries SET state = 'skipped' WHERE state = 'waiting' AND channel = 'push'"
NOT_NEXT = """
    UPDATE deliveries SET next_channels = array_remove(next_channels, 'push')
     WHERE state = 'waiting' AND 'push' = ANY (next_channels)
"""


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("server_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_push_subscriptions_account_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_push_subscriptions_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscriptions_endpoint")),
    )
    op.create_index("ix_push_subscriptions_account", "push_subscriptions", ["account_id", "created_at", "id"])
    op.create_index("ix_push_subscriptions_session", "push_subscriptions", ["session_id"])


def downgrade() -> None:
    op.drop_table("push_subscriptions")
    for statement in (WITHOUT, MAILED, SKIPPED, NOT_NEXT):
        op.execute(statement)
