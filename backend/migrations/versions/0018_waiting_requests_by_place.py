"""The inbox badge finds waiting requests by task and pincode."""

from alembic import op

from backend.migrations import operations

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    operations.create_index(
        "ix_task_requests_waiting_at", "task_requests", "(task_id, pincode) WHERE status = 'requested'"
    )


def downgrade() -> None:
    op.drop_index("ix_task_requests_waiting_at", table_name="task_requests")
