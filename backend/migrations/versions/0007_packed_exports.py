"""The size of an export's packed copy, where it has one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exports", sa.Column("packed_size", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("exports", "packed_size")
