"""The inbox badge finds waiting requests by task and pincode."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_task_requests_waiting_at",
        "task_requests",
        ["task_id", "pincode"],
        postgresql_where=sa.text("status = 'requested'"),
    )


def downgrade() -> None:
    op.drop_index("ix_task_requests_waiting_at", table_name="task_requests")
