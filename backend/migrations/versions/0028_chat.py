"""The id under which an account is reached in the chat app."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# The earlier version knows no such channel.
WITHOUT = """
    UPDATE preferences
       SET channels = CASE WHEN channels = ARRAY['chat'] THEN ARRAY['mail'] ELSE array_remove(channels, 'chat') END,
           kinds = coalesce((SELECT jsonb_object_agg(kind, chosen - 'chat') FROM jsonb_each(kinds) AS own (kind, chosen)
                              WHERE chosen <> '["chat"]'::jsonb), '{}'::jsonb)
     WHERE 'chat' = ANY (channels) OR kinds::text LIKE '%"chat"%'
"""
MAILED = """
    UPDATE deliveries d
       SET channel = 'mail', next_channels = array_remove(next_channels, 'mail')
     WHERE state = 'waiting' AND channel = 'chat'
       AND NOT EXISTS (SELECT 1 FROM deliveries other
                        WHERE other.account_id = d.account_id AND other.kind = d.kind AND other.subject = d.subject
                          AND other.channel = 'mail')
"""
SKIPPED = "UPDATE deliveries SET state = 'skipped' WHERE state = 'waiting' AND channel = 'chat'"
NOT_NEXT = """
    UPDATE deliveries SET next_channels = array_remove(next_channels, 'chat')
     WHERE state = 'waiting' AND 'chat' = ANY (next_channels)
"""


def upgrade() -> None:
    op.add_column("preferences", sa.Column("chat_id", sa.Text(), nullable=True))


def downgrade() -> None:
    for statement in (WITHOUT, MAILED, SKIPPED, NOT_NEXT):
        op.execute(statement)
    op.drop_column("preferences", "chat_id")
