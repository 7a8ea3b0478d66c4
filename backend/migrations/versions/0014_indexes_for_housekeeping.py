"""Indexes in the order in which housekeeping drops what is old, so that it reads no whole table each minute."""

from alembic import op

from backend.migrations import operations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    operations.create_index("ix_notifications_created", "notifications", "(created_at, id)")
    operations.create_index("ix_idempotency_keys_created", "idempotency_keys", "(created_at)")
    operations.create_index("ix_sessions_ended", "sessions", "(ended_at) WHERE ended_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_sessions_ended", table_name="sessions")
    op.drop_index("ix_idempotency_keys_created", table_name="idempotency_keys")
    op.drop_index("ix_notifications_created", table_name="notifications")
