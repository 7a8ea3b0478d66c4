"""Places say whether their point is uncertain, and which version of the points a database holds."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("places", sa.Column("uncertain", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "place_imports",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pincodes", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_place_imports")),
    )


def downgrade() -> None:
    op.drop_table("place_imports")
    op.drop_column("places", "uncertain")
