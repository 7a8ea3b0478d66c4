"""Files of the web application's builds, kept for pages of other builds than a machine's own."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "web_assets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_web_assets")),
    )
    op.create_index(
        "ix_web_assets_superseded",
        "web_assets",
        ["superseded_at"],
        postgresql_where=sa.text("superseded_at IS NOT NULL"),
    )
    # The files are compressed already; PostgreSQL would try again.
    op.execute("ALTER TABLE web_assets ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("web_assets")
