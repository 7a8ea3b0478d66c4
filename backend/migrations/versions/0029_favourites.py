"""Customers keep favourites, and pairs of users are never matched again."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "favourites",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["accounts.id"], name=op.f("fk_favourites_customer_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["accounts.id"], name=op.f("fk_favourites_professional_id")),
        sa.PrimaryKeyConstraint("customer_id", "professional_id", name=op.f("pk_favourites")),
    )
    op.create_index("ix_favourites_professional", "favourites", ["professional_id"])
    op.create_table(
        "exclusions",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("set_by IN ('customer', 'professional')", name=op.f("ck_exclusions_set_by")),
        sa.ForeignKeyConstraint(["customer_id"], ["accounts.id"], name=op.f("fk_exclusions_customer_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["accounts.id"], name=op.f("fk_exclusions_professional_id")),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_exclusions_request_id")),
        sa.PrimaryKeyConstraint("customer_id", "professional_id", "set_by", name=op.f("pk_exclusions")),
    )
    op.create_index("ix_exclusions_professional", "exclusions", ["professional_id", "customer_id"])
    op.create_index("ix_exclusions_request", "exclusions", ["request_id"])


def downgrade() -> None:
    op.drop_table("exclusions")
    op.drop_table("favourites")
