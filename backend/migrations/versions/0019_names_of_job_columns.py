"""Name the columns of jobs by the field's terms: a job is dispatched, and it is dead when no try is left.

A rename rewrites nothing; it holds the table for an instant. Stop the processes of the version before first: they
know the old names.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = (("parked_at", "dead_at"), ("rung_at", "dispatched_at"))


def upgrade() -> None:
    for old, new in COLUMNS:
        op.alter_column("jobs", old, new_column_name=new)
    op.execute("ALTER INDEX ix_jobs_parked RENAME TO ix_jobs_dead")


def downgrade() -> None:
    op.execute("ALTER INDEX ix_jobs_dead RENAME TO ix_jobs_parked")
    for old, new in COLUMNS:
        op.alter_column("jobs", new, new_column_name=old)
