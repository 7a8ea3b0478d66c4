"""Failed sign-ins are also counted by the /48 that an IPv6 address lies in."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in_failures", sa.Column("network", sa.Text(), nullable=True))
    op.create_index(
        "ix_sign_in_failures_network",
        "sign_in_failures",
        ["network", "at"],
        postgresql_where=sa.text("network IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_sign_in_failures_network", table_name="sign_in_failures")
    op.drop_column("sign_in_failures", "network")
