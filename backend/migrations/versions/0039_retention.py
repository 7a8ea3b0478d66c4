"""What retention needs: an index of reports by age, and an earlier vacuum of tables whose rows come and go."""

from alembic import op

from backend.migrations import operations

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
phase = "expand"

# Every job and delivery is updated several times and deleted in the end. The default waits for a fifth of the table,
# which is millions of dead rows; both settings take a lock that reads and writes do not wait for.
CHANGING = ("jobs", "deliveries")


def upgrade() -> None:
    operations.create_index("ix_monthly_reports_created", "monthly_reports", "(created_at)")
    for table in CHANGING:
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    for table in CHANGING:
        op.execute(f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor)")
    operations.drop_index("ix_monthly_reports_created")
