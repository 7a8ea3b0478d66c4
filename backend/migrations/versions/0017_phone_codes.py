"""Phone numbers are verified by a code before other SMS go there; SMS are counted against daily limits."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone_verified_at", MOMENT, nullable=True))
    op.create_table(
        "phone_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_phone_codes_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_phone_codes"),
    )
    for name in ("account_id", "phone", "address"):
        op.create_index(f"ix_phone_codes_{name.removesuffix('_id')}", "phone_codes", [name, "created_at"])
    op.create_index("ix_phone_codes_created", "phone_codes", ["created_at"])
    op.create_table(
        "sms_usage",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("is_code", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_sms_usage_delivery_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_sms_usage"),
    )
    op.create_index("ix_sms_usage_at", "sms_usage", ["at"])
    op.create_index("ix_sms_usage_account", "sms_usage", ["account_id", "at"])
    op.create_index("ix_sms_usage_phone", "sms_usage", ["phone", "at"])


def downgrade() -> None:
    op.drop_table("sms_usage")
    op.drop_table("phone_codes")
    op.drop_column("accounts", "phone_verified_at")
