"""Jobs have a lane, so that mail in bulk never delays what somebody waits for."""

import sqlalchemy as sa
from alembic import op

from backend.migrations import operations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("done_at IS NULL AND parked_at IS NULL")


def upgrade() -> None:
    op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS lane text DEFAULT 'urgent' NOT NULL")
    operations.add_constraint("ck_jobs_lane", "jobs", "CHECK (lane IN ('urgent', 'bulk'))")
    op.execute("""
        UPDATE jobs SET lane = 'bulk'
         WHERE done_at IS NULL
           AND topic IN ('notification.deliver', 'reminders.run', 'reminders.batch', 'reports.run', 'reports.batch')
    """)
    # Under another name first: without any index of the open jobs, workers would read the whole table meanwhile.
    operations.create_index("ix_jobs_open_in_lane", "jobs", f"(lane, run_at) WHERE {OPEN}")
    operations.drop_index("ix_jobs_open")
    op.execute("ALTER INDEX ix_jobs_open_in_lane RENAME TO ix_jobs_open")


def downgrade() -> None:
    op.drop_index("ix_jobs_open", table_name="jobs")
    op.create_index("ix_jobs_open", "jobs", ["run_at"], postgresql_where=OPEN)
    op.drop_constraint(op.f("ck_jobs_lane"), "jobs")
    op.drop_column("jobs", "lane")
