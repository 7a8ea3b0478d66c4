"""Requests know when their professional was reminded of the visit, and when they confirmed that it is on time."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
phase = "expand"

COLUMNS = ("reminded_at", "on_time_at")


def upgrade() -> None:
    added = ", ".join(f"ADD COLUMN {name} timestamptz" for name in COLUMNS)
    op.execute(f"ALTER TABLE task_requests {added}")


def downgrade() -> None:
    dropped = ", ".join(f"DROP COLUMN {name}" for name in COLUMNS)
    op.execute(f"ALTER TABLE task_requests {dropped}")
