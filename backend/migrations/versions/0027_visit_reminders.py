"""Which reminders of visits were written; the key makes a second one of the same occasion impossible."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_reminders",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occasion", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_visit_reminders_request_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_visit_reminders_account_id")),
        sa.PrimaryKeyConstraint("request_id", "account_id", "kind", "occasion", name=op.f("pk_visit_reminders")),
    )
    op.create_index("ix_visit_reminders_occasion", "visit_reminders", ["occasion"])


def downgrade() -> None:
    op.drop_table("visit_reminders")
    op.execute("DELETE FROM market_settings WHERE name = 'visit_reminders'")
