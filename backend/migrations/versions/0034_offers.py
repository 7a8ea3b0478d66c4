"""Tasks can be priced by offer: professionals make offers for a request, and the customer accepts one."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LIVE = sa.text("state = 'live'")


def upgrade() -> None:
    op.execute("ALTER TABLE task_requests ADD COLUMN IF NOT EXISTS from_price numeric(12, 2)")
    op.execute("ALTER TABLE tasks ADD COLUMN IF NOT EXISTS pricing text NOT NULL DEFAULT 'fixed'")
    op.create_check_constraint(op.f("ck_tasks_pricing"), "tasks", "pricing IN ('fixed', 'quote')")
    op.create_table(
        "offers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'live'"), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("made_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('live', 'replaced', 'withdrawn', 'expired', 'accepted', 'ended')", name=op.f("ck_offers_state")
        ),
        sa.CheckConstraint(
            "(state = 'live') = (slot IS NOT NULL) AND slot BETWEEN 1 AND 5", name=op.f("ck_offers_slot")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_offers_amount")),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_offers_request_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["accounts.id"], name=op.f("fk_offers_professional_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index("uq_offers_slot", "offers", ["request_id", "slot"], unique=True, postgresql_where=LIVE)
    op.create_index("uq_offers_live", "offers", ["request_id", "professional_id"], unique=True, postgresql_where=LIVE)
    op.create_index(
        "uq_offers_accepted", "offers", ["request_id"], unique=True, postgresql_where=sa.text("state = 'accepted'")
    )
    op.create_index("ix_offers_request", "offers", ["request_id", "id"])
    op.create_index("ix_offers_professional", "offers", ["professional_id"], postgresql_where=LIVE)
    op.create_index("ix_offers_ending", "offers", ["valid_until"], postgresql_where=LIVE)


def downgrade() -> None:
    op.drop_table("offers")
    op.drop_column("tasks", "pricing")
    op.drop_column("task_requests", "from_price")
