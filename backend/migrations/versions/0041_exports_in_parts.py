"""Exports have a lane of jobs of their own, and are written in parts."""

from alembic import op

from backend.migrations import operations

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    operations.add_constraint("ck_jobs_lane", "jobs", "CHECK (lane IN ('urgent', 'bulk', 'exports'))")
    op.execute("""
        ALTER TABLE exports
            ADD COLUMN IF NOT EXISTS parts jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN IF NOT EXISTS rows_in_parts bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS last_closed_at timestamptz,
            ADD COLUMN IF NOT EXISTS last_request_id bigint
    """)


def downgrade() -> None:
    columns = ("parts", "rows_in_parts", "last_closed_at", "last_request_id")
    op.execute(f"ALTER TABLE exports {', '.join(f'DROP COLUMN {name}' for name in columns)}")
    op.execute("UPDATE jobs SET lane = 'urgent' WHERE lane = 'exports'")
    operations.add_constraint("ck_jobs_lane", "jobs", "CHECK (lane IN ('urgent', 'bulk'))")
