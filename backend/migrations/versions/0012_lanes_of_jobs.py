"""Jobs have a lane, so that mail in bulk never delays what somebody waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("done_at IS NULL AND parked_at IS NULL")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("lane", sa.Text(), server_default=sa.text("'urgent'"), nullable=False))
    op.create_check_constraint("lane", "jobs", "lane IN ('urgent', 'bulk')")
    op.execute("""
        UPDATE jobs SET lane = 'bulk'
         WHERE done_at IS NULL
           AND topic IN ('notification.deliver', 'reminders.run', 'reminders.batch', 'reports.run', 'reports.batch')
    """)
    op.drop_index("ix_jobs_open", table_name="jobs")
    op.create_index("ix_jobs_open", "jobs", ["lane", "run_at"], postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_jobs_open", table_name="jobs")
    op.create_index("ix_jobs_open", "jobs", ["run_at"], postgresql_where=OPEN)
    op.drop_constraint(op.f("ck_jobs_lane"), "jobs")
    op.drop_column("jobs", "lane")
