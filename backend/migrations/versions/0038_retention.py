"""What retention needs: an index of reports by age, and an earlier vacuum of tables whose rows come and go."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
# Every job and delivery is updated several times and deleted in the end. The default waits for a fifth of the table,
# which is millions of dead rows; both settings take a lock that reads and writes do not wait for.
CHANGING = ("jobs", "deliveries")


def upgrade() -> None:
    _make_index("(created_at)")
    for table in CHANGING:
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    for table in CHANGING:
        op.execute(f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor)")
    _make_index(None)


def _make_index(definition: str | None) -> None:
    with op.get_context().autocommit_block():
        # It waits for older transactions, and nobody waits for it meanwhile.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_monthly_reports_created")
        if definition is not None:
            op.execute(f"CREATE INDEX CONCURRENTLY ix_monthly_reports_created ON monthly_reports {definition}")
        op.execute("SET lock_timeout = '10s'")
